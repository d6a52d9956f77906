// Who sends to whom.
#pragma once

#include <vector>

#include "mover.h"

namespace onecopy::bench {

// One end of a message, as a pattern knows it: the peer, and which of its blocks the sender sends
// and the receiver fills.
struct End {
    int peer = 0;
    int sendersBlock = 0;
    int receiversBlock = 0;
};

// What one process does at the same time.
struct Phase {
    std::vector<End> sends;
    std::vector<End> receives;
};

int processesOf(Pattern pattern, int asked);

// What one process does in one iteration; everybody has the same number of phases.
std::vector<Phase> phasesOf(Pattern pattern, int self, int processes);

// All messages of an iteration.
std::vector<Pair> pairsOf(Pattern pattern, int processes);

// How many messages one process receives in the time that an iteration takes: what "microseconds
// per message" divides by.
int messagesInARow(Pattern pattern, int processes);

// How many messages go on at the same time, counted by how many of them make up that time: what the
// bytes per second are of.
int messagesPerIteration(Pattern pattern, int processes);

// How many blocks the process with the most of them has, for either direction.
int mostBlocks(Pattern pattern, int processes);

}  // namespace onecopy::bench
