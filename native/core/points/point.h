// Numbered places between the steps of a protocol, at which a test stops or kills a rank: random
// kills almost never hit those windows. Compiled into core's test programs only
// (ONECOPY_POINTS in binding.gyp); anywhere else reach() is nothing.
#pragma once

#include <atomic>
#include <cstdint>

namespace onecopy {

// Named for what has just happened, or is about to.
enum class Point : std::uint8_t {
    recordWritten,    // ring, sender: the record stands, its flag does not
    recordFlagged,    // the flag stands, the doorbell was not looked at
    creditsDue,       // ring, receiver: lines were taken out, the sender does not know
    creditsGiven,     // it knows, its doorbell was not looked at
    transferNamed,    // sender: the slot is published, its descriptor is not on the channel
    claimDue,         // receiver: has the descriptor
    claimed,          // and the message
    offerWritten,     // receiver: where and how much, no cut yet
    offerOpen,        // the sender may push
    frontTaken,       // receiver: has a slice, has not pulled it
    backTaken,        // sender: has a slice, has not pushed it
    pushed,           // pushed, not reported
    pushReported,     // reported, the doorbell was not looked at
    transferOver,     // receiver: the word says so, the count does not
    transferCounted,  // the count does, the doorbell was not looked at
    last = transferCounted,
};

#if defined(ONECOPY_POINTS)

// Set before the engines start.
inline std::atomic<void (*)(Point)> pointHook{nullptr};

inline void reach(Point point) {
    if (auto* hook = pointHook.load(std::memory_order_acquire)) hook(point);
}

#else

inline void reach(Point) {}

#endif

}  // namespace onecopy
