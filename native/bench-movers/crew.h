// The processes of a measurement: made, put on cores, watched, and ended together.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "board.h"

namespace onecopy::bench {

// One core for each process, each with a physical core of its own where there are enough; empty
// where there are fewer cores than processes.
std::vector<int> coresFor(int processes);

// Forks `processes` processes that run `body` with their number, and waits for all. They die with
// this one. When one fails, the others are ended. Returns whether all went well; what went wrong
// was said, except when a process was killed: that is told by `killed`.
bool runCrew(Board& board, int processes, const std::vector<int>& cores,
             const std::function<void(int self)>& body,
             const std::function<void(int signal)>& killed);

}  // namespace onecopy::bench
