// What an operation can end with. The numbers cross to TypeScript as they are, by the table of
// names here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace onecopy {

enum class ErrorCode : std::uint32_t {
    ok = 0,
    arg,
    buffer,
    detached,
    resizable,
    count,
    rank,
    tag,
    type,
    truncate,
    deadlock,
    procFailed,
    procLeft,
    aborted,
    timeout,
    cancelled,
    request,
    reentrant,
    finalized,
    bootstrap,
    system,
    noMem,
    protocol,
    transfer,
    op,
    collective,
    freed
};

inline constexpr const char* kErrorNames[] = {"",
                                              "ERR_ARG",
                                              "ERR_BUFFER",
                                              "ERR_DETACHED",
                                              "ERR_RESIZABLE",
                                              "ERR_COUNT",
                                              "ERR_RANK",
                                              "ERR_TAG",
                                              "ERR_TYPE",
                                              "ERR_TRUNCATE",
                                              "ERR_DEADLOCK",
                                              "ERR_PROC_FAILED",
                                              "ERR_PROC_LEFT",
                                              "ERR_ABORTED",
                                              "ERR_TIMEOUT",
                                              "ERR_CANCELLED",
                                              "ERR_REQUEST",
                                              "ERR_REENTRANT",
                                              "ERR_FINALIZED",
                                              "ERR_BOOTSTRAP",
                                              "ERR_SYSTEM",
                                              "ERR_NO_MEM",
                                              "ERR_PROTOCOL",
                                              "ERR_TRANSFER",
                                              "ERR_OP",
                                              "ERR_COLLECTIVE",
                                              "ERR_FREED"};
static_assert(sizeof kErrorNames / sizeof kErrorNames[0] ==
              static_cast<std::size_t>(ErrorCode::freed) + 1);

// System calls that an error can name; the same order as SYSCALLS in native/src/binding.ts.
enum class Syscall : std::uint32_t {
    none = 0,
    processVmReadv,
    processVmWritev,
    sendmsg,
    recvmsg,
    memfdCreate,
    fallocate
};

// Stands with `type` where no element type does: an object (MessageKind).
inline constexpr std::uint64_t kObjectInErrors = 0xff;

struct Error {
    ErrorCode code = ErrorCode::ok;
    Syscall syscall = Syscall::none;
    std::int32_t errnum = 0;
    std::int32_t peer = -1;
    // Lengths with `truncate` and `count` (message, buffer), element types with `type`, operations
    // with `collective` (the message's, this rank's).
    std::uint64_t expected = 0;
    std::uint64_t actual = 0;

    explicit operator bool() const { return code != ErrorCode::ok; }
};

}  // namespace onecopy
