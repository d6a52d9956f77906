// Sends and receives that outlive their call.
#pragma once

#include "addon/engine.h"
#include "addon/face.h"
#include "addon/view.h"

namespace onecopy {

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
