#include "addon/probing.h"

#include "addon/messages.h"
#include "addon/waiting.h"

namespace onecopy {

namespace {

// Source, tag, context; some have a fourth argument.
template <std::size_t N>
Selector selectorOf(napi_env env, const Arguments<N>& in) {
    return {in.integer(env, 0), in.integer(env, 1), in.unsignedInteger(env, 2)};
}

// A wrong rank here would index the matcher's tables.
bool validSource(const RankFace& rank, const Selector& selector) {
    return selector.source == kAnySource ||
           (selector.source >= 0 && selector.source < rank.engine->size());
}

napi_value probe(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        RankFace& rank = begin(env);
        const Arguments<4> in(env, info);
        const Selector selector = selectorOf(env, in);
        if (!validSource(rank, selector)) return code(env, ErrorCode::rank);
        Envelope found;
        const Error error = rank.engine->probe(selector, found, deadlineIn(in.real(env, 3)));
        if (error) {
            reportError(rank, error);
        } else {
            reportArrival(rank, found);
        }
        return code(env, error.code);
    });
}

napi_value iprobe(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        RankFace& rank = begin(env);
        const Selector selector = selectorOf(env, Arguments<3>(env, info));
        if (!validSource(rank, selector)) return code(env, ErrorCode::rank);
        Envelope found;
        Error error;
        if (rank.engine->iprobe(selector, found, error)) {
            reportArrival(rank, found);
            return code(env, ErrorCode::ok);
        }
        if (!error) return number(env, -1);
        reportError(rank, error);
        return code(env, error.code);
    });
}

// The message is held by a number from here on; 0 stands for none.
napi_value matched(napi_env env, RankFace& rank, MatchedMessage message, const Error& error) {
    if (error) {
        reportError(rank, error);
        return number(env, -static_cast<double>(error.code));
    }
    rank.report[kMessage] = 0;
    if (message != nullptr) {
        reportArrival(rank, message->envelope);
        keepMessage(rank, std::move(message));
    }
    return number(env, rank.report[kMessage]);
}

napi_value mprobe(napi_env env, napi_callback_info info) {
    return guarded<-1>(env, [&] {
        RankFace& rank = begin(env);
        const Arguments<4> in(env, info);
        const Selector selector = selectorOf(env, in);
        if (!validSource(rank, selector)) return number(env, -static_cast<double>(ErrorCode::rank));
        MatchedMessage message;
        const Error error =
            rank.engine->matchedProbe(selector, message, deadlineIn(in.real(env, 3)));
        return matched(env, rank, std::move(message), error);
    });
}

napi_value improbe(napi_env env, napi_callback_info info) {
    return guarded<-1>(env, [&] {
        RankFace& rank = begin(env);
        const Selector selector = selectorOf(env, Arguments<3>(env, info));
        if (!validSource(rank, selector)) return number(env, -static_cast<double>(ErrorCode::rank));
        MatchedMessage message;
        Error error;
        rank.engine->matchedIprobe(selector, message, error);
        return matched(env, rank, std::move(message), error);
    });
}

napi_value startProbe(napi_env env, napi_callback_info info) {
    return guarded<-1>(env, [&] {
        RankFace& rank = begin(env);
        const Selector selector = selectorOf(env, Arguments<3>(env, info));
        if (!validSource(rank, selector)) return number(env, -static_cast<double>(ErrorCode::rank));
        double handle = 0;
        Pending& pending = rank.pending.open(handle);
        pending.handle = handle;
        pending.request.cookie = &pending;
        rank.engine->startProbe(pending.request, selector);
        done(rank, pending.request.complete() ? 1 : 0);
        return number(env, handle);
    });
}

// What a receive of a matched message begins with; null once the message was received. The message
// stays where it is until the buffer is known to be one.
KeptMessage* messageFor(napi_env env, RankFace& rank, const Arguments<3>& in, View& view,
                        ErrorCode& wrong) {
    const double handle = in.real(env, 0);
    KeptMessage* kept = rank.messages.find(handle);
    if (kept == nullptr) rank.report[kMessage] = 0;
    wrong = kept == nullptr ? ErrorCode::request : readView(env, in.values[1], view);
    return wrong == ErrorCode::ok ? kept : nullptr;
}

napi_value mrecv(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<3> in(env, info);
        RankFace& rank = begin(*in.rank);
        View view;
        ErrorCode wrong = ErrorCode::ok;
        KeptMessage* kept = messageFor(env, rank, in, view, wrong);
        if (kept == nullptr) return code(env, wrong);
        Request request;
        request.setBuffer(view.data, view.bytes);
        rank.engine->startMatchedRecv(request, takeMessage(rank, *kept, in.real(env, 0)),
                                      kindOfMode(in.integer(env, 2)), view.type);
        return code(env, finish(rank, request));
    });
}

napi_value imrecv(napi_env env, napi_callback_info info) {
    return guarded<-1>(env, [&] {
        const Arguments<3> in(env, info);
        RankFace& rank = begin(*in.rank);
        View view;
        ErrorCode wrong = ErrorCode::ok;
        KeptMessage* kept = messageFor(env, rank, in, view, wrong);
        if (kept == nullptr) {
            done(rank, -static_cast<double>(wrong));
            return number(env, 0);
        }
        // Nobody but this process writes into the buffer, and it looks first; but memory that is
        // pulled into must stay.
        const bool pins = kept->message->form == UnexpectedMessage::Form::descriptor;
        startPending(rank, in.values[1], view, pins, [&](Request& request) {
            rank.engine->startMatchedRecv(request, takeMessage(rank, *kept, in.real(env, 0)),
                                          kindOfMode(in.integer(env, 2)), view.type);
        });
        return number(env, 0);
    });
}

}  // namespace

MatchedMessage takeMessage(RankFace& rank, KeptMessage& kept, double handle) {
    MatchedMessage message = std::move(kept.message);
    rank.messages.close(handle);
    rank.report[kMessage] = 0;
    return message;
}

void keepMessage(RankFace& rank, MatchedMessage message) {
    double handle = 0;
    rank.messages.open(handle).message = std::move(message);
    rank.report[kMessage] = handle;
}

void registerProbing(napi_env env, napi_value exports) {
    exportRaw(env, exports, "probe", probe);
    exportRaw(env, exports, "iprobe", iprobe);
    exportRaw(env, exports, "mprobe", mprobe);
    exportRaw(env, exports, "improbe", improbe);
    exportRaw(env, exports, "startProbe", startProbe);
    exportRaw(env, exports, "mrecv", mrecv);
    exportRaw(env, exports, "imrecv", imrecv);
}

}  // namespace onecopy
