// What a call that names a message says beside its buffer.
#pragma once

#include <cstdint>

#include "core/matching/envelope.h"

namespace onecopy {

// Places in the call; `Call` in binding.ts.
enum CallPlace { kPartner, kLabel, kContext, kElementType, kMode, kCallPlaces };

// Bits of a message's mode; `Mode` in binding.ts.
inline constexpr std::int32_t kSynchronous = 1;
inline constexpr std::int32_t kObject = 2;

constexpr MessageKind kindOfMode(std::int32_t mode) {
    return (mode & kObject) != 0 ? MessageKind::object : MessageKind::buffer;
}

// Written into memory that both sides know: each number passed as an argument costs 4 ns.
struct Addressed {
    explicit Addressed(const std::int32_t* call)
        : partner(call[kPartner]),
          tag(call[kLabel]),
          context(static_cast<std::uint32_t>(call[kContext])),
          type(call[kElementType]),
          mode(call[kMode]) {}
    Selector selector() const { return {partner, tag, context}; }
    MessageKind kind() const { return kindOfMode(mode); }
    // Complete only once a receive has matched it, however short it is.
    bool synchronous() const { return (mode & kSynchronous) != 0; }

    std::int32_t partner;
    std::int32_t tag;
    std::uint32_t context;
    std::int32_t type;
    std::int32_t mode;
};

}  // namespace onecopy
