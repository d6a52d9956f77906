#include "addon/event_loop.h"

#include <algorithm>
#include <array>

#include "core/os/clock.h"

namespace onecopy {

namespace {

// A turn ends after this many completions, and its progress after so many rounds or so much time,
// so that timers and sockets get theirs. A round is bounded in bytes itself (Engine::movePulls).
constexpr std::size_t kCompletionsPerTurn = 512;
constexpr int kRoundsPerTurn = 16;
constexpr Nanoseconds kRoundsNanoseconds = 1'000'000;

// How long an awaiting rank that has a core of its own looks again and again before it lets the
// loop sleep: waking a sleeping core costs more than this. Short enough that a timer is not
// noticeably late.
constexpr Nanoseconds kSpinNanoseconds = 20'000;

// What scripts answer while they are being told of completions is looked for at once, without a
// turn of the loop in between (which costs 1 to 2 us), but only for so long: timers and sockets
// wait.
constexpr Nanoseconds kTurnNanoseconds = 200'000;

// A look at the clock costs as much as one at everything else.
constexpr int kLooksPerClock = 8;

}  // namespace

EventLoop::EventLoop(napi_env env, uv_loop_t* loop, Engine& engine, HandleOf handleOf)
    : env_(env), engine_(engine), handleOf_(handleOf), handles_(new Handles) {
    uv_prepare_init(loop, &handles_->prepare);
    uv_check_init(loop, &handles_->check);
    uv_idle_init(loop, &handles_->idle);
    uv_poll_init(loop, &handles_->poll, engine.wakeDescriptor());
    uv_timer_init(loop, &handles_->timer);
    for (uv_handle_t* handle : handles_->all()) handle->data = this;
    uv_prepare_start(&handles_->prepare, onPrepare);
    uv_check_start(&handles_->check, onCheck);
    uv_poll_start(&handles_->poll, UV_READABLE, onPoll);
    for (uv_handle_t* handle : handles_->all()) uv_unref(handle);
}

EventLoop::~EventLoop() {
    if (listener_ != nullptr) napi_delete_reference(env_, listener_);
    if (context_ != nullptr) napi_async_destroy(env_, context_);
    for (uv_handle_t* handle : handles_->all()) {
        handle->data = handles_;
        uv_close(handle, onClose);
    }
}

void EventLoop::onClose(uv_handle_t* handle) {
    Handles* handles = static_cast<Handles*>(handle->data);
    if (--handles->open == 0) delete handles;
}

void EventLoop::listen(napi_value listener) {
    if (listener_ != nullptr) napi_delete_reference(env_, listener_);
    napi_create_reference(env_, listener, 1, &listener_);
    if (context_ == nullptr) {
        napi_value name;
        napi_create_string_utf8(env_, "onecopy", NAPI_AUTO_LENGTH, &name);
        napi_async_init(env_, nullptr, name, &context_);
    }
}

void EventLoop::awaitOne() {
    if (awaited_++ == 0) {
        uv_ref(reinterpret_cast<uv_handle_t*>(&handles_->poll));
        uv_timer_start(&handles_->timer, onTimer, kFullLookMilliseconds, kFullLookMilliseconds);
    }
    // It may be complete already, and nothing else would wake the loop.
    if (engine_.anySettled()) stayAwake();
}

void EventLoop::settleOne() {
    if (--awaited_ > 0) return;
    uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->poll));
    uv_timer_stop(&handles_->timer);
}

void EventLoop::stayAwake() {
    if (uv_is_active(reinterpret_cast<uv_handle_t*>(&handles_->idle)) == 0)
        uv_idle_start(&handles_->idle, onIdle);
}

void EventLoop::onPrepare(uv_prepare_t* handle) {
    static_cast<EventLoop*>(handle->data)->prepare();
}
void EventLoop::onCheck(uv_check_t* handle) { static_cast<EventLoop*>(handle->data)->check(); }

void EventLoop::prepare() {
    if (uv_is_active(reinterpret_cast<uv_handle_t*>(&handles_->idle)) != 0) return;
    napi_handle_scope scope;
    napi_open_handle_scope(env_, &scope);
    bool moved = look();
    if (engine_.anySettled() && listener_ != nullptr) {
        const Nanoseconds end = now() + kTurnNanoseconds;
        do {
            deliver();
            moved = look();
        } while (engine_.anySettled() && now() < end);
    }
    if (!moved && !engine_.anySettled()) {
        engine_.arm();
        moved = engine_.progress();
    }
    if (engine_.crowded()) engine_.refuseWatched();
    if (moved || engine_.anySettled()) stayAwake();
    napi_close_handle_scope(env_, scope);
}

// Moves everything on; with something awaited and nothing to move, for a while. Says whether
// anything moved.
bool EventLoop::look() {
    bool moved = engine_.progress();
    if (moved || awaited_ == 0 || engine_.anySettled()) return moved;
    const Nanoseconds budget = std::min(engine_.settings().spinNanoseconds, kSpinNanoseconds);
    if (budget == 0) return moved;
    const Nanoseconds end = now() + budget;
    do {
        for (int i = 0; i < kLooksPerClock && !moved; ++i) moved = engine_.progress();
    } while (!moved && now() < end);
    return moved;
}

void EventLoop::check() {
    napi_handle_scope scope;
    napi_open_handle_scope(env_, &scope);
    if (engine_.armed()) {
        // Woken by the timer or by somebody else's event: what is there now must still be rung for,
        // since the doorbell is armed. Looking everywhere costs a system call per peer, so not each
        // time.
        const bool rung = engine_.takeReady(0) > 0 || woken_;
        if (rung || now() - lastLook_ >= kFullLookMilliseconds * 1'000'000ull) {
            if (!rung) engine_.lookEverywhere();
            lastLook_ = now();
        }
        engine_.disarm();
    }
    woken_ = false;
    uv_idle_stop(&handles_->idle);
    bool moved = true;
    const Nanoseconds end = now() + kRoundsNanoseconds;
    for (int round = 0; round < kRoundsPerTurn && moved; ++round) {
        moved = engine_.progress();
        // Large slices, or an operator in JavaScript: then it is time for somebody else.
        if (now() >= end) break;
    }
    if (moved) stayAwake();
    deliver();
    napi_close_handle_scope(env_, scope);
}

void EventLoop::deliver() {
    if (!engine_.anySettled() || listener_ == nullptr) return;
    std::vector<double> settled;
    while (settled.size() < kCompletionsPerTurn) {
        const Request* request = engine_.takeSettled();
        if (request == nullptr) break;
        settled.push_back(handleOf_(*request));
        settleOne();
    }
    if (engine_.anySettled()) stayAwake();

    napi_value memory;
    napi_value handles;
    void* data = nullptr;
    napi_create_arraybuffer(env_, settled.size() * sizeof(double), &data, &memory);
    std::copy(settled.begin(), settled.end(), static_cast<double*>(data));
    napi_create_typedarray(env_, napi_float64_array, settled.size(), memory, 0, &handles);
    napi_value listener;
    napi_value global;
    napi_get_reference_value(env_, listener_, &listener);
    napi_get_global(env_, &global);
    napi_value result;
    if (napi_make_callback(env_, context_, global, listener, 1, &handles, &result) ==
        napi_pending_exception) {
        napi_value error;
        napi_get_and_clear_last_exception(env_, &error);
        napi_fatal_exception(env_, error);
    }
}

}  // namespace onecopy
