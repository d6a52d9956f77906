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
    const Context& context = contextOf(envelope.context);
    Request* first = context.posted.first(envelope.source, envelope.tag);
    if (context.wild == 0) return first;
    const auto consider = [&](std::int32_t source, std::int32_t tag) {
        Request* receive = context.posted.first(source, tag);
        if (receive != nullptr && (first == nullptr || receive->order < first->order))
            first = receive;
    };
    if ((context.wild & kWildTag) != 0) consider(envelope.source, kAnyTag);
    if ((context.wild & kWildSource) != 0) consider(kAnySource, envelope.tag);
    if ((context.wild & kWildBoth) != 0) consider(kAnySource, kAnyTag);
    return first;
}

void Matcher::post(Request& receive) {
    const Selector& selector = receive.selector;
    Context& context = contextOf(selector.context);
    context.posted.append(selector.source, selector.tag, receive);
    receive.order = ++posted_;
    if (selector.source == kAnySource)
        context.wild |= selector.tag == kAnyTag ? kWildBoth : kWildSource;
    else if (selector.tag == kAnyTag)
        context.wild |= kWildTag;
}

UnexpectedMessage* Matcher::firstOf(const Context& context, int source, std::int32_t tag) {
    const auto& messages = context.sources[static_cast<std::size_t>(source)];
    if (tag == kAnyTag || messages.empty()) return messages.first();
    return context.labelled.first(source, tag);
}

UnexpectedMessage* Matcher::findUnexpected(const Selector& selector) {
    if (kept_ == 0) return nullptr;
    const Context& context = contextOf(selector.context);
    if (selector.source != kAnySource) return firstOf(context, selector.source, selector.tag);
    if (context.kept == 0) return nullptr;
    for (int i = 0; i < size_; ++i) {
        const int source = (context.nextServed + i) % size_;
        if (UnexpectedMessage* message = firstOf(context, source, selector.tag)) return message;
    }
    return nullptr;
}

bool Matcher::hasPosted(std::uint32_t id) const {
    const auto found = contexts_.find(id);
    return found != contexts_.end() && !found->second->posted.empty();
}

void Matcher::keep(MatchedMessage message) {
    const Envelope& envelope = message->envelope;
    Context& context = contextOf(envelope.context);
    context.labelled.append(envelope.source, envelope.tag, *message);
    // The lists own it from here; take() gives it back to an owner.
    UnexpectedMessage& kept = *message.release();
    context.sources[static_cast<std::size_t>(envelope.source)].append(kept);
    ++context.kept;
    ++kept_;
    keptBytes_ += kept.footprint();
}

MatchedMessage Matcher::take(UnexpectedMessage& message) {
    Context& context = contextOf(message.envelope.context);
    context.nextServed = (message.envelope.source + 1) % size_;
    List<UnexpectedMessage, SourceTag>::remove(message);
    List<UnexpectedMessage, LabelTag>::remove(message);
    --context.kept;
    --kept_;
    keptBytes_ -= message.footprint();
    return MatchedMessage(&message);
}

Kept Matcher::summary() {
    Kept kept{.messages = kept_, .bytes = keptBytes_};
    for (const auto& [id, context] : contexts_) {
        context->labelled.forEach([&](std::int32_t source, std::int32_t tag, const auto& list) {
            std::uint64_t likeIt = 0;
            forEach(list, [&](const UnexpectedMessage&) { ++likeIt; });
            if (likeIt <= kept.likeIt) return;
            kept.source = source;
            kept.tag = tag;
            kept.likeIt = likeIt;
        });
    }
    return kept;
}

}  // namespace onecopy
