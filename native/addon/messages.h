// How calls that name a message start their request, and how those that block end it.
#pragma once

#include "addon/face.h"

namespace onecopy {

// Waits for a request on the stack. It must not leave before nobody can touch it any more.
inline ErrorCode finish(RankFace& rank, Request& request) {
    const ErrorCode waited = rank.engine->wait(request);
    if (waited != ErrorCode::ok) {
        rank.engine->cancel(request);
        reportError(rank, {.code = waited, .peer = request.peer, .expected = request.capacity});
        return waited;
    }
    return reportOutcome(rank, request);
}

// Starts what could not be done at once. `pins`: another process may touch the memory.
template <typename Start>
napi_value startPending(RankFace& rank, napi_value buffer, const View& view, bool pins,
                        Start start) {
    const Looking looking(rank.views);
    double handle = 0;
    Pending& pending = rank.pending.open(handle);
    const std::size_t slot = HandleTable<Pending>::slotOf(handle);
    pending.handle = handle;
    pending.buffer.keep(rank.views, static_cast<std::uint32_t>(slot), view);
    if (pins) pending.buffer.pin(buffer);
    Request& request = pending.request;
    request.setBuffer(view.data, view.bytes);
    request.owner = &pending.buffer;
    request.cookie = &pending;
    start(request);
    if (request.complete() && !request.error) {
        reportOutcome(rank, request);
        rank.pending.close(handle);
        return done(rank, ErrorCode::ok);
    }
    rank.report[kSlot] = static_cast<double>(slot);
    return done(rank, handle);
}

}  // namespace onecopy
