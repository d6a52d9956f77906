#include "addon/datatypes.h"

#include <memory>
#include <stdexcept>

#include "addon/face.h"
#include "addon/messages.h"
#include "addon/persistent.h"
#include "addon/probing.h"
#include "addon/view.h"
#include "core/channels/channel.h"
#include "core/datatypes/laid_out.h"
#include "core/datatypes/overlap.h"

namespace onecopy {

namespace {

// ---------------------------------------------------------------------------------------------------
// layouts

napi_value compileLayout(napi_env env, napi_callback_info info) {
    return guarded(env, [&]() -> napi_value {
        const Arguments<1> in(env, info);
        napi_typedarray_type type;
        std::size_t length = 0;
        void* data = nullptr;
        if (napi_get_typedarray_info(env, in.values[0], &type, &length, &data, nullptr, nullptr) !=
                napi_ok ||
            type != napi_float64_array)
            throw std::invalid_argument("no layout: not a Float64Array");
        auto layout = std::make_shared<const Layout>(
            std::span<const double>(static_cast<const double*>(data), length));
        double handle = 0;
        in.rank->layouts.open(handle).layout = std::move(layout);
        return number(env, handle);
    });
}

napi_value dropLayout(napi_env env, napi_callback_info info) {
    const Arguments<1> in(env, info);
    in.rank->layouts.close(in.real(env, 0));
    return nullptr;
}

napi_value layoutOverlaps(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<2> in(env, info);
        const KeptLayout* kept = in.rank->layouts.find(in.real(env, 0));
        if (kept == nullptr) throw std::invalid_argument("no such layout");
        const LaidOut items(kept->layout, nullptr, static_cast<std::uint64_t>(in.real(env, 1)));
        return number(env, overlaps(items.whole()) ? 1 : 0);
    });
}

// ---------------------------------------------------------------------------------------------------
// items in a buffer

struct Items {
    napi_value buffer = nullptr;
    View view;
    std::shared_ptr<const Layout> layout;
    std::uint64_t count = 0;
    std::unique_ptr<LaidOut> laidOut;
};

// From the arguments buffer, layout and count, which begin at `first`.
template <std::size_t N>
ErrorCode readItems(napi_env env, const Arguments<N>& in, std::size_t first, Items& items) {
    items.buffer = in.values[first];
    if (const ErrorCode wrong = readView(env, items.buffer, items.view); wrong != ErrorCode::ok)
        return wrong;
    const KeptLayout* kept = in.rank->layouts.find(in.real(env, first + 1));
    const double count = in.real(env, first + 2);
    if (kept == nullptr || !(count >= 0 && count <= static_cast<double>(kMostLayoutBytes)))
        return ErrorCode::arg;
    items.layout = kept->layout;
    items.count = static_cast<std::uint64_t>(count);
    items.laidOut = std::make_unique<LaidOut>(items.layout, items.view.data, items.count);
    // TypeScript has looked when it was told of the buffer, which may be some time ago.
    if (items.laidOut->low() < 0 ||
        items.laidOut->high() > static_cast<std::int64_t>(items.view.bytes))
        return ErrorCode::detached;
    return ErrorCode::ok;
}

// What the short way takes instead: memory in one piece.
struct Flat {
    void* data;
    std::uint64_t bytes;
};

std::byte* scratch(RankFace& rank) {
    rank.gathered.resize(kMaxPayload);
    return rank.gathered.data();
}

bool sendFlat(RankFace& rank, const Items& items, const Addressed& to, Datatype type) {
    const LaidOut& memory = *items.laidOut;
    if (to.synchronous() || memory.bytes() > rank.engine->settings().eagerLimit ||
        memory.bytes() > kMaxPayload)
        return false;
    void* data = memory.data();
    if (!memory.isDense()) {
        data = scratch(rank);
        memory.copyOut(0, static_cast<std::byte*>(data), memory.bytes());
    }
    return rank.engine->sendAtOnce(data, memory.bytes(), to.partner, to.tag, to.context, to.kind(),
                                   type);
}

Flat roomFor(RankFace& rank, const LaidOut& memory) {
    if (memory.isDense()) return {memory.data(), memory.bytes()};
    return {scratch(rank), std::min<std::uint64_t>(memory.bytes(), kMaxPayload)};
}

void put(const LaidOut& memory, const Flat& room, std::uint64_t bytes) {
    if (!memory.isDense()) memory.copyIn(0, static_cast<const std::byte*>(room.data), bytes);
}

Datatype typeOf(const Addressed& addressed) { return static_cast<Datatype>(addressed.type); }

// ---------------------------------------------------------------------------------------------------
// messages

template <int sign = 1, typename Body>
napi_value guardedItems(napi_env env, napi_callback_info info, Body body) {
    const Arguments<3> in(env, info);
    RankFace& rank = *in.rank;
    const auto failed = [&](ErrorCode error) {
        return done(rank, sign * static_cast<double>(error));
    };
    try {
        begin(rank);
        const Addressed addressed(rank.call);
        // What has to be moved on is moved on before the buffer is looked at; see Engine.
        if constexpr (Body::kSends) {
            rank.engine->prepareSend(addressed.partner);
        } else {
            rank.engine->prepareRecv(addressed.partner);
        }
        Items items;
        if (const ErrorCode wrong = readItems(env, in, 0, items); wrong != ErrorCode::ok)
            return failed(wrong);
        return body(rank, items, addressed);
    } catch (const Reentrance&) {
        return failed(ErrorCode::reentrant);
    } catch (const std::bad_alloc&) {
        return failed(ErrorCode::noMem);
    } catch (const std::exception& error) {
        napi_throw_error(env, "ERR_NATIVE", error.what());
        return nullptr;
    }
}

void startSend(RankFace& rank, Request& request, Items& items, const Addressed& to) {
    request.setBuffer(std::move(items.laidOut));
    request.synchronous = to.synchronous();
    rank.engine->startSend(request, to.partner, to.tag, to.context, to.kind(), typeOf(to));
}

void startRecv(RankFace& rank, Request& request, Items& items, const Addressed& from) {
    request.setBuffer(std::move(items.laidOut));
    rank.engine->startRecv(request, from.selector(), from.kind(), typeOf(from));
}

struct Send {
    static constexpr bool kSends = true;
    napi_value operator()(RankFace& rank, Items& items, const Addressed& to) const {
        if (sendFlat(rank, items, to, typeOf(to))) return done(rank, ErrorCode::ok);
        Request request;
        startSend(rank, request, items, to);
        return done(rank, finish(rank, request));
    }
};

struct Recv {
    static constexpr bool kSends = false;
    napi_value operator()(RankFace& rank, Items& items, const Addressed& from) const {
        const Flat room = roomFor(rank, *items.laidOut);
        Envelope came;
        if (rank.engine->recvAtOnce(room.data, room.bytes, from.selector(), from.kind(),
                                    typeOf(from), came)) {
            put(*items.laidOut, room, came.bytes);
            reportArrival(rank, came);
            return done(rank, ErrorCode::ok);
        }
        Request request;
        startRecv(rank, request, items, from);
        return done(rank, finish(rank, request));
    }
};

struct Isend {
    static constexpr bool kSends = true;
    napi_value operator()(RankFace& rank, Items& items, const Addressed& to) const {
        if (sendFlat(rank, items, to, typeOf(to))) return done(rank, ErrorCode::ok);
        return startPending(rank, items.buffer, items.view, true,
                            [&](Request& request) { startSend(rank, request, items, to); });
    }
};

struct Irecv {
    static constexpr bool kSends = false;
    napi_value operator()(RankFace& rank, Items& items, const Addressed& from) const {
        const Flat room = roomFor(rank, *items.laidOut);
        Envelope came;
        if (rank.engine->takeAtOnce(room.data, room.bytes, from.selector(), from.kind(),
                                    typeOf(from), came)) {
            put(*items.laidOut, room, came.bytes);
            reportArrival(rank, came);
            return done(rank, ErrorCode::ok);
        }
        return startPending(rank, items.buffer, items.view, true,
                            [&](Request& request) { startRecv(rank, request, items, from); });
    }
};

// Of a message that is sent or received round by round.
template <bool sends>
struct Prepare {
    static constexpr bool kSends = sends;
    napi_value operator()(RankFace& rank, Items& items, const Addressed& to) const {
        items.view.type = typeOf(to);
        return keepPrepared(rank, items.buffer,
                            {to, items.view, !sends, false, false, items.layout, items.count});
    }
};

napi_value sendItems(napi_env env, napi_callback_info info) {
    return guardedItems(env, info, Send());
}
napi_value recvItems(napi_env env, napi_callback_info info) {
    return guardedItems(env, info, Recv());
}
napi_value isendItems(napi_env env, napi_callback_info info) {
    return guardedItems<-1>(env, info, Isend());
}
napi_value irecvItems(napi_env env, napi_callback_info info) {
    return guardedItems<-1>(env, info, Irecv());
}

napi_value prepareSendItems(napi_env env, napi_callback_info info) {
    return guardedItems<-1>(env, info, Prepare<true>());
}
napi_value prepareRecvItems(napi_env env, napi_callback_info info) {
    return guardedItems<-1>(env, info, Prepare<false>());
}

// What a receive of a matched message begins with; null once the message was received. The message
// stays where it is until the buffer is known to hold the items.
KeptMessage* messageFor(napi_env env, const Arguments<6>& in, Items& items, ErrorCode& wrong) {
    RankFace& rank = *in.rank;
    KeptMessage* kept = rank.messages.find(in.real(env, 0));
    if (kept == nullptr) rank.report[kMessage] = 0;
    wrong = kept == nullptr ? ErrorCode::request : readItems(env, in, 1, items);
    return wrong == ErrorCode::ok ? kept : nullptr;
}

void startMatched(napi_env env, const Arguments<6>& in, Request& request, Items& items,
                  KeptMessage& kept) {
    request.setBuffer(std::move(items.laidOut));
    in.rank->engine->startMatchedRecv(request, takeMessage(*in.rank, kept, in.real(env, 0)),
                                      kindOfMode(in.integer(env, 4)),
                                      static_cast<Datatype>(in.integer(env, 5)));
}

napi_value mrecvItems(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<6> in(env, info);
        RankFace& rank = begin(*in.rank);
        Items items;
        ErrorCode wrong = ErrorCode::ok;
        KeptMessage* kept = messageFor(env, in, items, wrong);
        if (kept == nullptr) return code(env, wrong);
        Request request;
        startMatched(env, in, request, items, *kept);
        return code(env, finish(rank, request));
    });
}

napi_value imrecvItems(napi_env env, napi_callback_info info) {
    return guarded<-1>(env, [&] {
        const Arguments<6> in(env, info);
        RankFace& rank = begin(*in.rank);
        Items items;
        ErrorCode wrong = ErrorCode::ok;
        KeptMessage* kept = messageFor(env, in, items, wrong);
        if (kept == nullptr) {
            done(rank, -static_cast<double>(wrong));
            return number(env, 0);
        }
        startPending(rank, items.buffer, items.view, true,
                     [&](Request& request) { startMatched(env, in, request, items, *kept); });
        return number(env, 0);
    });
}

// ---------------------------------------------------------------------------------------------------
// packing

template <bool Packs>
napi_value packOrUnpack(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<5> in(env, info);
        Items items;
        if (const ErrorCode wrong = readItems(env, in, 0, items); wrong != ErrorCode::ok)
            return code(env, wrong);
        View packed;
        if (const ErrorCode wrong = readView(env, in.values[3], packed); wrong != ErrorCode::ok)
            return code(env, wrong);
        const double position = in.real(env, 4);
        const std::uint64_t bytes = items.laidOut->bytes();
        if (!(position >= 0 && position <= static_cast<double>(packed.bytes)) ||
            bytes > packed.bytes - static_cast<std::uint64_t>(position))
            return code(env, ErrorCode::truncate);
        std::byte* at = static_cast<std::byte*>(packed.data) + static_cast<std::uint64_t>(position);
        if constexpr (Packs) {
            items.laidOut->copyOut(0, at, bytes);
        } else {
            items.laidOut->copyIn(0, at, bytes);
        }
        return code(env, ErrorCode::ok);
    });
}

}  // namespace

void registerDatatypes(Napi::Env env, Napi::Object exports) {
    exportRaw(env, exports, "compileLayout", compileLayout);
    exportRaw(env, exports, "dropLayout", dropLayout);
    exportRaw(env, exports, "layoutOverlaps", layoutOverlaps);
    exportRaw(env, exports, "sendItems", sendItems);
    exportRaw(env, exports, "recvItems", recvItems);
    exportRaw(env, exports, "isendItems", isendItems);
    exportRaw(env, exports, "irecvItems", irecvItems);
    exportRaw(env, exports, "mrecvItems", mrecvItems);
    exportRaw(env, exports, "imrecvItems", imrecvItems);
    exportRaw(env, exports, "prepareSendItems", prepareSendItems);
    exportRaw(env, exports, "prepareRecvItems", prepareRecvItems);
    exportRaw(env, exports, "pack", packOrUnpack<true>);
    exportRaw(env, exports, "unpack", packOrUnpack<false>);
}

}  // namespace onecopy
