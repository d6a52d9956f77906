// Contexts of communicators: where their ids come from, who talks in them, and their end.
#include <algorithm>

#include "core/engine/engine.h"

namespace onecopy {

namespace {

constexpr std::uint64_t kContexts = std::uint64_t{1} << 32;

}  // namespace

Error Engine::newContexts(std::uint32_t count, std::uint32_t& first) {
    if (count == 0 || count > kMostNewContexts) return {.code = ErrorCode::count};
    if (Error refusal = refusalFor(kAnySource)) return refusal;
    if (link_ == nullptr) {
        if (kContexts - nextContext_ < count) return {.code = ErrorCode::noMem};
        first = static_cast<std::uint32_t>(nextContext_);
        nextContext_ += count;
        return {};
    }
    given_.reset();
    link_->askForContexts(count);
    waitFor([&] { return given_.has_value() || ending_ || aborted_; },
            {.operation = Operation::contexts});
    if (!given_) return refusalFor(kAnySource);
    if (*given_ == 0) return {.code = ErrorCode::noMem};
    first = *given_;
    return {};
}

void Engine::onContexts(std::uint32_t first, std::uint32_t) { given_ = first; }

void Engine::nameMembers(ContextRange contexts, const std::vector<std::int32_t>& members) {
    const auto shared = std::make_shared<const std::vector<std::int32_t>>(members);
    for (std::uint32_t i = 0; i < contexts.count; ++i) members_[contexts.first + i] = shared;
}

void Engine::closeContexts(ContextRange contexts) {
    closing_.push_back(contexts);
    dropClosed();
}

// Whether an operation of this rank still needs what is kept for the context. Sends do not, and
// neither does a receive that has its message.
bool Engine::isInUse(std::uint32_t context) {
    if (matcher_.hasPosted(context)) return true;
    const auto found = contexts_.find(context);
    return found != contexts_.end() && !found->second->live.empty();
}

void Engine::dropClosed() {
    std::erase_if(closing_, [&](const ContextRange& range) {
        for (std::uint32_t i = 0; i < range.count; ++i) {
            if (isInUse(range.first + i)) return false;
        }
        for (std::uint32_t i = 0; i < range.count; ++i) {
            const std::uint32_t context = range.first + i;
            matcher_.forget(context, [&](UnexpectedMessage& message) { refuse(message); });
            contexts_.erase(context);
            members_.erase(context);
        }
        closed_.add(range);
        return true;
    });
}

// A message that nobody can receive any more: its sender must not wait for ever.
void Engine::refuse(UnexpectedMessage& message) {
    switch (message.form) {
        case UnexpectedMessage::Form::eager:
            return;
        case UnexpectedMessage::Form::local:
            return complete(message.sender(), {.code = ErrorCode::transfer});
        case UnexpectedMessage::Form::descriptor: {
            Peer& peer = peerOf(message.envelope.source);
            if (!peer.settled && peer.incomingTransfers->claim(message.descriptor().transfer))
                finishTransfer(peer, message.descriptor().transfer, TransferState::failed);
        }
    }
}

bool Engine::refuseClosed(const Envelope& envelope, const Descriptor* descriptor) {
    if (!closed_.contains(envelope.context)) return false;
    if (descriptor != nullptr) refuse(*UnexpectedMessage::of(envelope, *descriptor));
    matcher_.forget(envelope.context, [](UnexpectedMessage&) {});
    return true;
}

}  // namespace onecopy
