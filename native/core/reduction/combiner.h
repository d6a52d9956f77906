// Combines what has arrived with what is here: a kernel of ours, or an operator of the user's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/movers/io_cursor.h"

namespace onecopy {

// On which side of the operator what comes in stands. Only operators that are not commutative can
// tell.
enum class Side : std::uint8_t { left = 0, right = 1 };

// An operator that core does not know (a function of JavaScript).
class UserOperator {
   public:
    // out = left op right, element by element; `out` may be either of them. False: it failed, and
    // its owner knows why.
    virtual bool apply(void* out, const void* left, const void* right, std::size_t count) = 0;

   protected:
    ~UserOperator() = default;
};

class Combiner {
   public:
    using Kernel = void (*)(void* out, const void* left, const void* right, std::size_t count);

    Combiner() = default;
    Combiner(Kernel kernel, std::size_t elementBytes)
        : kernel_(kernel), elementBytes_(elementBytes) {}
    Combiner(UserOperator& user, std::size_t elementBytes)
        : user_(&user), elementBytes_(elementBytes) {}

    explicit operator bool() const { return kernel_ != nullptr || user_ != nullptr; }

    // into = own op incoming, or incoming op own. `bytes` is a whole number of elements. False: the
    // user's operator failed.
    bool combine(std::byte* into, const std::byte* own, const std::byte* incoming, Side side,
                 std::uint64_t bytes) const {
        const std::byte* left = side == Side::left ? incoming : own;
        const std::byte* right = side == Side::left ? own : incoming;
        const std::size_t count = static_cast<std::size_t>(bytes / elementBytes_);
        if (user_ != nullptr) return user_->apply(into, left, right, count);
        kernel_(into, left, right, count);
        return true;
    }

   private:
    Kernel kernel_ = nullptr;
    UserOperator* user_ = nullptr;
    std::size_t elementBytes_ = 1;
};

// The same where `into` and `own` are in several pieces, each a whole number of elements.
// `incoming` begins `offset` bytes behind their beginning.
inline bool combinePieces(const Combiner& combiner, std::span<const iovec> into,
                          std::span<const iovec> own, Side side, const std::byte* incoming,
                          std::uint64_t offset, std::uint64_t bytes) {
    return forEachPiece(into, own, offset, bytes,
                        [&](std::byte* to, const std::byte* mine, std::uint64_t piece) {
                            const bool well = combiner.combine(to, mine, incoming, side, piece);
                            incoming += piece;
                            return well;
                        });
}

}  // namespace onecopy
