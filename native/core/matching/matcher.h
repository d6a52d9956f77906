// Finds the receive for a message and the message for a receive, in the same time however many
// others wait.
//
// Per context: posted receives in a list for each pair of source and tag that they ask for,
// wildcards included. A message looks at the first of each of the up to four lists whose receives
// could take it, and goes to the one that was posted first (MPI-4.1 section 3.5). Messages that
// came too early stand in two lists: with all from their source, and with those from it that have
// the same tag. Receives from any source look at the sources in turn, beginning after the one that
// was served last, so that no source starves.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/engine/request.h"
#include "core/matching/envelope.h"
#include "core/matching/keyed_lists.h"
#include "core/matching/message.h"

namespace onecopy {

// What is kept for receives that have not come, and whose it mostly is.
struct Kept {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;  // of memory
    std::int32_t source = -1;
    std::int32_t tag = 0;
    std::uint64_t likeIt = 0;  // messages from this source with this tag
};

class Matcher {
   public:
    explicit Matcher(int size) : size_(size) {}
    ~Matcher();
    Matcher(const Matcher&) = delete;
    Matcher& operator=(const Matcher&) = delete;

    // The posted receive that a message with this envelope goes to, or null. It stays posted until
    // remove().
    Request* findPosted(const Envelope& envelope);
    void post(Request& receive);
    static void remove(Request& receive) { List<Request, QueueTag>::remove(receive); }

    // The message that a receive would get, or null. It stays until take().
    UnexpectedMessage* findUnexpected(const Selector& selector);
    void keep(MatchedMessage message);
    MatchedMessage take(UnexpectedMessage& message);

    // How many messages are kept, and how much memory they take.
    std::uint64_t kept() const { return kept_; }
    std::uint64_t keptBytes() const { return keptBytes_; }
    // Looks at all of them.
    Kept summary();

    bool hasPosted(std::uint32_t id) const;
    // Drops what is kept for a context in which no receive is posted; `visit` gets each message.
    template <typename Visit>
    void forget(std::uint32_t id, Visit visit);
    std::size_t contexts() const { return contexts_.size(); }

    // Calls `visit` for each posted receive (it may be removed meanwhile) or each kept message
    // (likewise, by take()). Nothing may be posted or kept meanwhile.
    template <typename Visit>
    void forEachPosted(Visit visit);
    template <typename Visit>
    void forEachUnexpected(Visit visit);
    // The same in one context.
    template <typename Visit>
    void forEachUnexpected(std::uint32_t context, Visit visit);

   private:
    // Kinds of selectors, as bits, of which one at least was ever posted.
    static constexpr unsigned kWildTag = 1;
    static constexpr unsigned kWildSource = 2;
    static constexpr unsigned kWildBoth = 4;

    struct Context {
        explicit Context(int size) : sources(static_cast<std::size_t>(size)) {}
        KeyedLists<Request, QueueTag> posted;
        unsigned wild = 0;
        std::vector<List<UnexpectedMessage, SourceTag>> sources;
        KeyedLists<UnexpectedMessage, LabelTag> labelled;
        std::uint64_t kept = 0;
        int nextServed = 0;
    };

    Context& contextOf(std::uint32_t id);
    static UnexpectedMessage* firstOf(const Context& context, int source, std::int32_t tag);
    template <typename T, typename Tag, typename Visit>
    static void forEach(const List<T, Tag>& list, Visit visit);

    int size_;
    std::uint64_t posted_ = 0;
    std::uint64_t kept_ = 0;
    std::uint64_t keptBytes_ = 0;
    std::unordered_map<std::uint32_t, std::unique_ptr<Context>> contexts_;
    // Programs mostly stay in one communicator for a while.
    std::uint32_t lastId_ = 0;
    Context* last_ = nullptr;
};

template <typename T, typename Tag, typename Visit>
void Matcher::forEach(const List<T, Tag>& list, Visit visit) {
    for (T* member = list.first(); member != nullptr;) {
        T* next = list.after(*member);
        visit(*member);
        member = next;
    }
}

template <typename Visit>
void Matcher::forget(std::uint32_t id, Visit visit) {
    const auto found = contexts_.find(id);
    if (found == contexts_.end()) return;
    for (const auto& messages : found->second->sources) {
        forEach(messages, [&](UnexpectedMessage& message) { visit(*take(message)); });
    }
    if (last_ == found->second.get()) last_ = nullptr;
    contexts_.erase(id);
}

template <typename Visit>
void Matcher::forEachPosted(Visit visit) {
    for (auto& [id, context] : contexts_) {
        context->posted.forEach(
            [&](std::int32_t, std::int32_t, const auto& list) { forEach(list, visit); });
    }
}

template <typename Visit>
void Matcher::forEachUnexpected(Visit visit) {
    for (auto& [id, context] : contexts_) forEachUnexpected(id, visit);
}

template <typename Visit>
void Matcher::forEachUnexpected(std::uint32_t id, Visit visit) {
    const auto context = contexts_.find(id);
    if (context == contexts_.end() || context->second->kept == 0) return;
    for (const auto& messages : context->second->sources) forEach(messages, visit);
}

}  // namespace onecopy
