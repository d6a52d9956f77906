// How much memory a rank may spend on messages that came before their receives.
#pragma once

#include <cstdint>

#include "core/os/clock.h"

namespace onecopy {

// Nobody is refused memory on Linux: whoever takes more than there is, is killed. So what is left
// is asked for before each step of growth, and some of it is left to all others.
class Allowance {
   public:
    // `limit`: no more than so many bytes; 0: what the system has left.
    Allowance(std::uint64_t limit, int ranks);

    // Whether there is room for more than `used` bytes. One item more is always taken, so what is
    // used may exceed it by the last ones.
    bool allows(std::uint64_t used) { return used < allowed_ || ask(used); }

   private:
    bool ask(std::uint64_t used);

    std::uint64_t limit_;
    std::uint64_t reserve_;
    std::uint64_t allowed_;
    Nanoseconds refused_ = 0;
};

}  // namespace onecopy
