// Cross Memory Attach: one copy, straight between the address spaces of two processes
// (process_vm_readv(2)).
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "core/movers/io_cursor.h"

namespace onecopy {

// One call of the kernel moves at most this much (MAX_RW_COUNT, lib/iov_iter.c); it reports a short
// count, no error.
inline constexpr std::uint64_t kCmaMostPerCall = 0x7ffff000;
// Entries per side and call (IOV_MAX); more is EINVAL.
inline constexpr std::size_t kCmaMostEntries = 1024;

struct CmaResult {
    std::uint64_t bytes = 0;  // moved, also when it failed half-way
    std::uint64_t calls = 0;
    int errnum = 0;  // 0: everything asked for was moved
};

// Moves up to `bytes` bytes between a list of buffers here and one in process `pid`, and both
// cursors by what was moved. Continues after short transfers and past kCmaMostEntries and
// kCmaMostPerCall. A call that moves nothing without an error is reported as EFAULT: retrying it
// would spin (gVisor and half-unmapped ranges do that). Fails with EPERM where the copy is not
// allowed, ESRCH when the process is gone, EFAULT for a bad range.
CmaResult cmaRead(pid_t pid, IoCursor& local, IoCursor& remote, std::uint64_t bytes);
CmaResult cmaWrite(pid_t pid, IoCursor& local, IoCursor& remote, std::uint64_t bytes);

// A number in memory that nobody shares, by which a peer proves that it reaches this very process:
// it must read the nonce that the launcher told it, and write it back. That one test covers Yama,
// seccomp, namespaces and wrong pids.
struct NonceCell {
    std::uint64_t nonce = 0;
    std::uint64_t echo = 0;
};

struct CmaVerdict {
    bool read = false;
    bool write = false;
    int errnum = 0;  // of the first refusal; 0 with read false: another process answered
};
CmaVerdict probeCma(pid_t pid, std::uint64_t cellAddress, std::uint64_t expectedNonce);

}  // namespace onecopy
