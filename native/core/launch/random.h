// Numbers that nobody can guess.
#pragma once

#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace onecopy {

// Never 0, so that 0 can mean "none". Throws std::system_error.
inline std::uint64_t randomNumber() {
    for (;;) {
        std::uint64_t value = 0;
        const ssize_t got = ::getrandom(&value, sizeof value, 0);
        if (got == sizeof value && value != 0) return value;
        if (got < 0 && errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "getrandom");
        }
    }
}

}  // namespace onecopy
