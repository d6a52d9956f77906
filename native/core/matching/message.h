// A message that no receive has taken yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "core/engine/list.h"
#include "core/matching/envelope.h"
#include "core/transfer/transfer.h"

namespace onecopy {

struct Request;

struct SourceTag : Link {};  // what one source has sent in one context
struct LabelTag : Link {};   // of that, what has the same tag

// One allocation for all of it: floods are made of such messages, each of which takes 80 bytes for
// a payload of up to 8.
class UnexpectedMessage final : public SourceTag, public LabelTag {
   public:
    // Eager: its payload. Descriptor: where that is. Local: a send to oneself that waits for this.
    enum class Form : std::uint8_t { eager, descriptor, local };
    using Owner = std::unique_ptr<UnexpectedMessage>;

    // The payload, of as many bytes as the envelope says, is for the caller to fill.
    static Owner eager(const Envelope& envelope) {
        return make(envelope, Form::eager, envelope.bytes);
    }
    static Owner of(const Envelope& envelope, const Descriptor& descriptor) {
        Owner message = make(envelope, Form::descriptor, sizeof descriptor);
        ::new (message->rest()) Descriptor(descriptor);
        return message;
    }
    static Owner local(const Envelope& envelope, Request& sender) {
        Owner message = make(envelope, Form::local, sizeof(Request*));
        ::new (message->rest()) Request*(&sender);
        return message;
    }
    UnexpectedMessage(const UnexpectedMessage&) = delete;
    UnexpectedMessage& operator=(const UnexpectedMessage&) = delete;

    std::span<std::byte> payload() { return {rest(), envelope.bytes}; }
    Descriptor& descriptor() { return *std::launder(reinterpret_cast<Descriptor*>(rest())); }
    Request& sender() { return **std::launder(reinterpret_cast<Request**>(rest())); }

    // What the allocator spends on it.
    std::uint64_t footprint() const {
        const std::uint64_t rest = form == Form::eager        ? envelope.bytes
                                   : form == Form::descriptor ? sizeof(Descriptor)
                                                              : sizeof(Request*);
        return (sizeof *this + rest + 8 + 15) / 16 * 16;
    }

    // Of memory that was made longer than the class.
    static void operator delete(void* memory) { ::operator delete(memory); }

    const Envelope envelope;
    const Form form;
    bool claimed = false;  // by a matched probe: nobody else can take it, nor its sender back

   private:
    // How many bytes stand behind the object.
    struct Rest {
        std::size_t bytes;
    };

    UnexpectedMessage(const Envelope& what, Form how) noexcept : envelope(what), form(how) {}
    static void* operator new(std::size_t size, Rest rest) {
        return ::operator new(size + rest.bytes);
    }
    static void operator delete(void* memory, Rest) { ::operator delete(memory); }
    static Owner make(const Envelope& envelope, Form form, std::size_t rest) {
        return Owner(new (Rest{rest}) UnexpectedMessage(envelope, form));
    }
    std::byte* rest() { return reinterpret_cast<std::byte*>(this + 1); }
};
static_assert(sizeof(UnexpectedMessage) == 64 && alignof(Descriptor) <= 8);

// A message that a matched probe took out of the queues. Its sender, if it waits, waits for this
// message's receive.
using MatchedMessage = UnexpectedMessage::Owner;

}  // namespace onecopy
