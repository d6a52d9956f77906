// What the addon keeps of this process's rank, and how its functions read arguments and report
// outcomes.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <unordered_map>
#include <vector>

#include "addon/addressed.h"
#include "addon/event_loop.h"
#include "addon/heap.h"
#include "addon/napi_setup.h"
#include "addon/pending.h"
#include "core/datatypes/layout.h"
#include "core/engine/engine.h"

namespace onecopy {

// Places in the report; `Report` in binding.ts.
enum Place {
    kSource,
    kTag,
    kBytes,
    kType,
    kErrno,
    kSyscall,
    kPeer,
    kExpected,
    kActual,
    kCulprit,
    kResult,
    kSlot,
    kMessage,
    kRank,
    kPlaces,
    kOutcomePlaces = kType + 1  // of each operation of calls that name many
};

struct KeptMessage {
    MatchedMessage message;
};

struct KeptCommunicator {
    CollectiveContext* context = nullptr;
};

struct KeptLayout {
    std::shared_ptr<const Layout> layout;
};

struct KeptSchedule {
    std::shared_ptr<const Schedule> schedule;
};

// Member order is destruction order, backwards: the loop's handles go before the engine that they
// use, and pending requests before the engine's lists that they are linked in.
struct RankFace {
    ~RankFace() {
        if (heap) heap->engineIsGone();
    }

    std::unique_ptr<Engine> engine;
    std::shared_ptr<HeapBlocks> heap;
    KeptViews views;
    HandleTable<Pending> pending;
    // Of one call that names many operations, kept for the next.
    std::vector<Request*> waitedFor;
    std::vector<double> named;
    HandleTable<KeptMessage> messages;
    // Objects that have been received and not been fetched, by the handle of their operation.
    std::unordered_map<double, std::unique_ptr<ReceivedParts>> received;
    HandleTable<KeptLayout> layouts;
    // Where short messages of scattered elements are gathered.
    std::vector<std::byte> gathered;
    std::unique_ptr<EventLoop> loop;
    double* report = nullptr;
    napi_ref reportReference = nullptr;
    const std::int32_t* call = nullptr;
    napi_ref callReference = nullptr;

    HandleTable<KeptCommunicator> communicators;
    HandleTable<KeptSchedule> schedules;
    OperatorMemory operatorMemory;
    // What a user's operator said on the rank where it failed.
    std::string failureText;
    // A user's operator is running: nothing else of onecopy may.
    bool inOperator = false;
    // Calls of operations, so that tests can tell what one operation costs.
    std::uint64_t calls = 0;
};

// Thrown by begin(), turned into an error number by guarded().
struct Reentrance {};

// One engine per process; TypeScript starts it on the main thread only.
inline RankFace* face(napi_env env) {
    void* data = nullptr;
    napi_get_instance_data(env, &data);
    return static_cast<RankFace*>(data);
}

// The same, for an operation: what the last one reported does not concern this one.
inline RankFace& begin(RankFace& rank) {
    if (rank.inOperator) throw Reentrance();
    ++rank.calls;
    rank.report[kPeer] = -1;
    rank.report[kCulprit] = -1;
    return rank;
}
inline RankFace& begin(napi_env env) { return begin(*face(env)); }

inline napi_value number(napi_env env, double value) {
    napi_value result;
    napi_create_double(env, value, &result);
    return result;
}

inline napi_value code(napi_env env, ErrorCode error) {
    napi_value result;
    napi_create_uint32(env, static_cast<std::uint32_t>(error), &result);
    return result;
}

// The arguments of a call, as they come.
template <std::size_t N>
struct Arguments {
    Arguments(napi_env env, napi_callback_info info) {
        std::size_t count = N;
        void* data = nullptr;
        napi_get_cb_info(env, info, &count, values, nullptr, &data);
        rank = static_cast<RankFace*>(data);
    }
    std::int32_t integer(napi_env env, std::size_t index) const {
        std::int32_t value = 0;
        napi_get_value_int32(env, values[index], &value);
        return value;
    }
    std::uint32_t unsignedInteger(napi_env env, std::size_t index) const {
        std::uint32_t value = 0;
        napi_get_value_uint32(env, values[index], &value);
        return value;
    }
    double real(napi_env env, std::size_t index) const {
        double value = 0;
        napi_get_value_double(env, values[index], &value);
        return value;
    }
    napi_value values[N];
    RankFace* rank = nullptr;
};

// Into the report, or an outcome.
inline void writeArrival(double* places, const Envelope& envelope) {
    places[kSource] = envelope.source;
    places[kTag] = envelope.tag;
    places[kBytes] = static_cast<double>(envelope.bytes);
    places[kType] = static_cast<double>(envelope.type);
}

inline void reportArrival(RankFace& rank, const Envelope& envelope) {
    writeArrival(rank.report, envelope);
}

// What has taken the memory: messages, if there are any.
inline void reportKept(RankFace& rank) {
    const Kept kept = rank.engine->kept();
    rank.report[kPeer] = kept.source;
    rank.report[kTag] = kept.tag;
    rank.report[kBytes] = static_cast<double>(kept.likeIt);
    rank.report[kExpected] = static_cast<double>(kept.messages);
    rank.report[kActual] = static_cast<double>(kept.bytes);
}

inline void reportError(RankFace& rank, const Error& error) {
    rank.report[kErrno] = error.errnum;
    rank.report[kSyscall] = static_cast<double>(error.syscall);
    rank.report[kPeer] = error.peer;
    rank.report[kExpected] = static_cast<double>(error.expected);
    rank.report[kActual] = static_cast<double>(error.actual);
    // One message alone may have been too long as well.
    if (error.code == ErrorCode::noMem && (rank.engine->crowded() || error.expected == 0))
        reportKept(rank);
}

inline ErrorCode reportOutcome(RankFace& rank, const Request& request) {
    if (request.error) {
        reportError(rank, request.error);
    } else if (request.kind == Request::Kind::recv || request.kind == Request::Kind::probe) {
        reportArrival(rank, request.envelope);
    }
    return request.error.code;
}

// The result of a message call is reported like the rest; returned, a number costs 4 ns.
inline napi_value done(RankFace& rank, double result) {
    rank.report[kResult] = result;
    return nullptr;
}
inline napi_value done(RankFace& rank, ErrorCode error) {
    return done(rank, static_cast<double>(error));
}

// Nothing of C++ may escape into V8. `sign` is -1 where the operation returns handles.
template <int sign = 1, typename Body>
napi_value guarded(napi_env env, Body body) {
    try {
        return body();
    } catch (const Reentrance&) {
        return number(env, sign * static_cast<double>(ErrorCode::reentrant));
    } catch (const std::bad_alloc&) {
        return number(env, sign * static_cast<double>(ErrorCode::noMem));
    } catch (const std::exception& error) {
        napi_throw_error(env, "ERR_NATIVE", error.what());
        return nullptr;
    }
}

// The same for a call that reports its result.
template <int sign = 1, typename Body>
napi_value guardedMessage(napi_env env, napi_callback_info info, Body body) {
    const Arguments<1> in(env, info);
    RankFace& rank = *in.rank;
    const auto failed = [&](ErrorCode error) {
        return done(rank, sign * static_cast<double>(error));
    };
    try {
        return body(begin(rank), in.values[0], Addressed(rank.call));
    } catch (const Reentrance&) {
        return failed(ErrorCode::reentrant);
    } catch (const std::bad_alloc&) {
        return failed(ErrorCode::noMem);
    } catch (const std::exception& error) {
        napi_throw_error(env, "ERR_NATIVE", error.what());
        return nullptr;
    }
}

inline void exportRaw(napi_env env, napi_value exports, const char* name, napi_callback callback) {
    napi_value function;
    // The rank travels as the function's data, which comes with the arguments.
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, face(env), &function);
    napi_set_named_property(env, exports, name, function);
}

}  // namespace onecopy
