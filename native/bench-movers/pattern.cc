#include "pattern.h"

namespace onecopy::bench {

int processesOf(Pattern pattern, int asked) { return pattern == Pattern::oneToOne ? 2 : asked; }

std::vector<Phase> phasesOf(Pattern pattern, int self, int processes) {
    switch (pattern) {
        case Pattern::oneToOne: {
            const int peer = 1 - self;
            const Phase there = self == 0 ? Phase{{{peer, 0, 0}}, {}} : Phase{{}, {{peer, 0, 0}}};
            const Phase back = self == 0 ? Phase{{}, {{peer, 0, 0}}} : Phase{{{peer, 0, 0}}, {}};
            return {there, back};
        }
        case Pattern::manyToOne: {
            Phase phase;
            if (self != 0) {
                phase.sends.push_back({0, 0, self - 1});
            } else {
                for (int peer = 1; peer < processes; ++peer) {
                    phase.receives.push_back({peer, 0, peer - 1});
                }
            }
            return {phase};
        }
        case Pattern::allToAll: {
            Phase phase;
            // Each begins with another one, so that not all are at the same peer at the same time.
            for (int shift = 1; shift < processes; ++shift) {
                const int block = shift - 1;
                phase.sends.push_back({(self + shift) % processes, block, block});
                phase.receives.push_back({(self - shift + processes) % processes, block, block});
            }
            return {phase};
        }
    }
    return {};
}

std::vector<Pair> pairsOf(Pattern pattern, int processes) {
    std::vector<Pair> pairs;
    for (int self = 0; self < processes; ++self) {
        for (const Phase& phase : phasesOf(pattern, self, processes)) {
            for (const End& end : phase.sends) pairs.emplace_back(self, end.peer);
        }
    }
    return pairs;
}

int messagesInARow(Pattern pattern, int processes) {
    return pattern == Pattern::oneToOne ? 2 : processes - 1;
}

int messagesPerIteration(Pattern pattern, int processes) {
    return static_cast<int>(pairsOf(pattern, processes).size());
}

int mostBlocks(Pattern pattern, int processes) {
    return pattern == Pattern::oneToOne ? 1 : processes - 1;
}

}  // namespace onecopy::bench
