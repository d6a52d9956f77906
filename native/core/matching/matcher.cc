#include "core/matching/matcher.h"

#include <algorithm>

namespace onecopy {

Matcher::~Matcher() {
    forEachUnexpected([this](UnexpectedMessage& message) { take(message); });
}

Matcher::Context& Matcher::contextOf(std::uint32_t id) {
    if (last_ != nullptr && lastId_ == id) return *last_;
    std::unique_ptr<Context>& context = contexts_[id];
    if (!context) context = std::make_unique<Context>(size_);
    lastId_ = id;
    last_ = context.get();
    return *last_;
}

Request* Matcher::findPosted(const Envelope& envelope) {
    Context& context = contextOf(envelope.context);
    const auto firstThatTakes = [&](const List<Request, QueueTag>& list) {
        Request* receive = list.first();
        while (receive != nullptr && !receive->selector.takesTag(envelope.tag))
            receive = list.after(*receive);
        return receive;
    };
    Request* exact =
        firstThatTakes(context.sources[static_cast<std::size_t>(envelope.source)].posted);
    Request* wild = firstThatTakes(context.wildcards);
    if (exact == nullptr || wild == nullptr) return exact == nullptr ? wild : exact;
    return exact->order < wild->order ? exact : wild;
}

void Matcher::post(Request& receive) {
    Context& context = contextOf(receive.selector.context);
    receive.order = ++posted_;
    const std::int32_t source = receive.selector.source;
    (source == kAnySource ? context.wildcards
                          : context.sources[static_cast<std::size_t>(source)].posted)
        .append(receive);
}

UnexpectedMessage* Matcher::findUnexpected(const Selector& selector) {
    Context& context = contextOf(selector.context);
    const auto firstIn = [&](int source) {
        const auto& list = context.sources[static_cast<std::size_t>(source)].unexpected;
        UnexpectedMessage* message = list.first();
        while (message != nullptr && !selector.takesTag(message->envelope.tag))
            message = list.after(*message);
        return message;
    };
    if (selector.source != kAnySource) return firstIn(selector.source);
    for (int i = 0; i < size_; ++i) {
        const int source = (context.nextServed + i) % size_;
        if (UnexpectedMessage* message = firstIn(source)) return message;
    }
    return nullptr;
}

bool Matcher::hasPosted(std::uint32_t id) const {
    const auto found = contexts_.find(id);
    if (found == contexts_.end()) return false;
    const Context& context = *found->second;
    return !context.wildcards.empty() ||
           std::ranges::any_of(context.sources,
                               [](const Source& source) { return !source.posted.empty(); });
}

void Matcher::keep(std::unique_ptr<UnexpectedMessage> message) {
    Context& context = contextOf(message->envelope.context);
    // The list owns it from here; take() gives it back to an owner.
    UnexpectedMessage& kept = *message.release();
    ++kept_;
    context.sources[static_cast<std::size_t>(kept.envelope.source)].unexpected.append(kept);
}

std::unique_ptr<UnexpectedMessage> Matcher::take(UnexpectedMessage& message) {
    Context& context = contextOf(message.envelope.context);
    context.nextServed = (message.envelope.source + 1) % size_;
    List<UnexpectedMessage, UnexpectedTag>::remove(message);
    --kept_;
    return std::unique_ptr<UnexpectedMessage>(&message);
}

}  // namespace onecopy
