// Finds the receive for a message and the message for a receive.
//
// Per context and source: a queue of posted receives and one of messages that came too early;
// beside them one queue of receives from any source. Where a source's queue and the wildcard queue
// both have a candidate, the one posted first takes the message (MPI-4.1 section 3.5). Receives
// from any source look at the sources in turn, beginning after the one that was served last, so
// that no source starves.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/engine/request.h"
#include "core/matching/envelope.h"

namespace onecopy {

struct UnexpectedTag : Link {};

// A message that no receive has taken yet.
struct UnexpectedMessage : UnexpectedTag {
    enum class Form { eager, descriptor, local };

    Envelope envelope;
    Form form = Form::eager;
    std::unique_ptr<std::byte[]> payload;  // eager
    Descriptor descriptor;                 // descriptor
    Request* sender = nullptr;             // local: a send to oneself that waits for this
    bool claimed = false;                  // descriptor: by a matched probe
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
    // Whether there is any at all.
    bool keepsAny() const { return kept_ > 0; }
    void keep(std::unique_ptr<UnexpectedMessage> message);
    std::unique_ptr<UnexpectedMessage> take(UnexpectedMessage& message);

    bool hasPosted(std::uint32_t id) const;
    // Drops what is kept for a context in which no receive is posted; `visit` gets each message.
    template <typename Visit>
    void forget(std::uint32_t id, Visit visit);
    std::size_t contexts() const { return contexts_.size(); }

    // Calls `visit` for each posted receive (it may be removed meanwhile) or each kept message
    // (likewise, by take()).
    template <typename Visit>
    void forEachPosted(Visit visit);
    template <typename Visit>
    void forEachUnexpected(Visit visit);

   private:
    struct Source {
        List<Request, QueueTag> posted;
        List<UnexpectedMessage, UnexpectedTag> unexpected;
    };
    struct Context {
        explicit Context(int size) : sources(static_cast<std::size_t>(size)) {}
        std::vector<Source> sources;
        List<Request, QueueTag> wildcards;
        int nextServed = 0;
    };

    Context& contextOf(std::uint32_t id);
    template <typename T, typename Tag, typename Visit>
    static void forEach(const List<T, Tag>& list, Visit visit);

    int size_;
    std::uint64_t posted_ = 0;
    std::uint64_t kept_ = 0;
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
    for (Source& source : found->second->sources) {
        forEach(source.unexpected, [&](UnexpectedMessage& message) { visit(*take(message)); });
    }
    if (last_ == found->second.get()) last_ = nullptr;
    contexts_.erase(id);
}

template <typename Visit>
void Matcher::forEachPosted(Visit visit) {
    for (auto& [id, context] : contexts_) {
        for (Source& source : context->sources) forEach(source.posted, visit);
        forEach(context->wildcards, visit);
    }
}

template <typename Visit>
void Matcher::forEachUnexpected(Visit visit) {
    for (auto& [id, context] : contexts_) {
        for (Source& source : context->sources) forEach(source.unexpected, visit);
    }
}

}  // namespace onecopy
