// A way for the bytes of a message to get from one process into another.
//
// Neither end ever blocks: each does what it can do at the moment and says how it went, so that
// every pattern of messages goes on in one loop, and everybody waits in the same way.
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lane.h"
#include "options.h"

namespace onecopy::bench {

// One end of one message.
struct Message {
    int peer = 0;
    std::uint64_t bytes = 0;
    std::byte* data = nullptr;          // this process's block
    const std::byte* shared = nullptr;  // receiver: the same payload in the sender's shared heap
    Lane* lane = nullptr;

    // Each time anew.
    std::uint64_t sequence = 0;
    std::uint64_t position = 0;  // for the mover
    int stage = 0;               // for the mover; begins at 0
    bool done = false;
};

enum class Progress {
    waiting,  // nothing could be done
    moved,    // something was done, there is more to do
    done,     // sender: the buffer may be changed; receiver: all bytes are there
};

// The system does not let this mover do it. The others go on without it.
class Refused : public std::runtime_error {
   public:
    Refused(const std::string& what, int errnum);
    using std::runtime_error::runtime_error;
};

// From one process to another.
using Pair = std::pair<int, int>;

class Mover {
   public:
    virtual ~Mover() = default;

    virtual std::string_view name() const = 0;

    // Whether receivers read the sender's shared heap instead of its own memory.
    virtual bool usesHeap() const { return false; }

    // Before the processes are made: what all of them inherit. May throw Refused.
    virtual void open(std::span<const Pair> /*pairs*/) {}

    // In each process, when all of them exist.
    virtual void enter(int /*self*/, std::span<const pid_t> /*processes*/) {}

    // Called until it says done. May throw Refused.
    virtual Progress send(Message& message) = 0;
    virtual Progress receive(Message& message) = 0;

    // What else decides its speed, as members of a JSON object: `,"cells":4`.
    virtual std::string details() const { return {}; }

   protected:
    // For movers with nothing to do at the sending end but to say where the bytes are.
    static Progress offer(Message& message) {
        if (message.stage == 0) {
            message.lane->send(message.sequence, message.data);
            message.stage = 1;
            return Progress::moved;
        }
        return message.lane->isReceived(message.sequence) ? Progress::done : Progress::waiting;
    }
};

std::unique_ptr<Mover> makeCmaRead();
std::unique_ptr<Mover> makeCmaWrite();
std::unique_ptr<Mover> makeBothSides(std::uint64_t slice);
std::unique_ptr<Mover> makeHeap();
std::unique_ptr<Mover> makeStreamingHeap();
std::unique_ptr<Mover> makeDoubleCopy(std::uint32_t cells, std::uint64_t cellBytes);
std::unique_ptr<Mover> makeProcMem();
std::unique_ptr<Mover> makeVmsplice();
std::unique_ptr<Mover> makeSocket();

// All of them, or those that `only` names, in the order in which they are shown.
std::vector<std::unique_ptr<Mover>> makeMovers(const Options& options);

}  // namespace onecopy::bench
