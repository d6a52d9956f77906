// What the program is asked to measure. `onecopy bench movers` checks what people write and passes
// plain numbers on; here only what makes no sense at all is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace onecopy::bench {

enum class Pattern { oneToOne, manyToOne, allToAll };
enum class Pages { small, huge };

const char* nameOf(Pattern pattern);
const char* nameOf(Pages pages);

// More would need more descriptors than a process usually may have.
inline constexpr int kMostProcesses = 32;

// A byte of the payload that every sender of one mover gets wrong: for the test of the check.
struct Corruption {
    std::string mover;
    std::uint64_t offset = 0;
};

struct Options {
    std::vector<Pattern> patterns{Pattern::oneToOne};
    std::vector<Pages> pages{Pages::small};
    std::vector<std::string> only;  // empty: every mover
    std::vector<std::uint64_t> sizes{65536};
    int processes = 4;  // one-to-one has always 2
    double seconds = 0.1;
    int rounds = 5;
    std::uint64_t slice = 128 * 1024;  // both-sides
    std::uint32_t cells = 4;           // double-copy
    std::uint64_t cellBytes = 32 * 1024;
    bool offCache = false;
    Corruption corruption;
};

// A sentence for the user; exit code 2.
class OptionError : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
};

Options parseOptions(int argc, char** argv);

}  // namespace onecopy::bench
