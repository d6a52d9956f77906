#include "core/movers/cma.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

namespace onecopy {

namespace {

using Call = ssize_t (*)(pid_t, const iovec*, unsigned long, const iovec*, unsigned long,
                         unsigned long);

CmaResult move(Call call, pid_t pid, IoCursor& local, IoCursor& remote, std::uint64_t bytes) {
    CmaResult result;
    std::array<iovec, kCmaMostEntries> here;
    std::array<iovec, kCmaMostEntries> there;
    while (result.bytes < bytes) {
        const std::uint64_t wanted = std::min(bytes - result.bytes, kCmaMostPerCall);
        // The side whose entries hold less decides how much this call can move.
        const IoCursor::Cut first = remote.peek(wanted, there);
        const IoCursor::Cut second = local.peek(first.bytes, here);
        const std::size_t remoteEntries =
            second.bytes == first.bytes ? first.entries : remote.peek(second.bytes, there).entries;
        if (second.bytes == 0) {
            result.errnum = EFAULT;
            return result;
        }
        const ssize_t moved =
            call(pid, here.data(), second.entries, there.data(), remoteEntries, 0);
        ++result.calls;
        if (moved <= 0) {
            if (moved < 0 && errno == EINTR) continue;
            result.errnum = moved < 0 ? errno : EFAULT;
            return result;
        }
        local.advance(static_cast<std::uint64_t>(moved));
        remote.advance(static_cast<std::uint64_t>(moved));
        result.bytes += static_cast<std::uint64_t>(moved);
    }
    return result;
}

// One word, without the two pages of iovecs that move() keeps ready.
bool moveWord(Call call, pid_t pid, std::uint64_t* local, std::uint64_t remoteAddress,
              int& errnum) {
    const iovec here{local, sizeof *local};
    const iovec there{reinterpret_cast<void*>(remoteAddress), sizeof *local};
    const ssize_t moved = call(pid, &here, 1, &there, 1, 0);
    if (moved == static_cast<ssize_t>(sizeof *local)) return true;
    errnum = moved < 0 ? errno : EFAULT;
    return false;
}

}  // namespace

CmaResult cmaRead(pid_t pid, IoCursor& local, IoCursor& remote, std::uint64_t bytes) {
    return move(&::process_vm_readv, pid, local, remote, bytes);
}

CmaResult cmaWrite(pid_t pid, IoCursor& local, IoCursor& remote, std::uint64_t bytes) {
    return move(&::process_vm_writev, pid, local, remote, bytes);
}

CmaVerdict probeCma(pid_t pid, std::uint64_t cellAddress, std::uint64_t expectedNonce) {
    CmaVerdict verdict;
    std::uint64_t seen = 0;
    if (!moveWord(&::process_vm_readv, pid, &seen, cellAddress + offsetof(NonceCell, nonce),
                  verdict.errnum) ||
        seen != expectedNonce) {
        return verdict;
    }
    verdict.read = true;
    const std::uint64_t echoAddress = cellAddress + offsetof(NonceCell, echo);
    std::uint64_t back = 0;
    verdict.write = moveWord(&::process_vm_writev, pid, &seen, echoAddress, verdict.errnum) &&
                    moveWord(&::process_vm_readv, pid, &back, echoAddress, verdict.errnum) &&
                    back == seen;
    return verdict;
}

}  // namespace onecopy
