// The engine inside Node's event loop: awaited operations move on between turns, and wake the loop
// when it sleeps.
//
// Before the loop sleeps (uv_prepare) the doorbell is armed and everything is looked at once more;
// if that moved anything, the loop must not sleep (uv_idle). After it (uv_check) the doorbell is
// disarmed, everything moves on, and completed operations are handed to TypeScript. uv_poll only
// wakes the loop, and so does, while anything is awaited, a timer: the periodic look everywhere by
// which a lost wake-up would show.
#pragma once

#include <uv.h>

#include <array>
#include <vector>

#include "addon/napi_setup.h"
#include "core/engine/engine.h"

namespace onecopy {

class EventLoop {
   public:
    // `handleOf` names the handle of a settled request.
    using HandleOf = double (*)(const Request& request);

    EventLoop(napi_env env, uv_loop_t* loop, Engine& engine, HandleOf handleOf);
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    void listen(napi_value listener);
    // One more, or one less, operation is awaited; the process stays alive while there is any.
    void awaitOne();
    void settleOne();

   private:
    static void onPrepare(uv_prepare_t* handle);
    static void onCheck(uv_check_t* handle);
    static void onIdle(uv_idle_t*) {}
    static void onPoll(uv_poll_t* handle, int, int) {
        static_cast<EventLoop*>(handle->data)->woken_ = true;
    }
    static void onTimer(uv_timer_t*) {}

    void prepare();
    bool look();
    void check();
    void deliver();
    void stayAwake();

    napi_env env_;
    Engine& engine_;
    HandleOf handleOf_;
    napi_ref listener_ = nullptr;
    napi_async_context context_ = nullptr;
    std::size_t awaited_ = 0;
    bool woken_ = false;  // by the engine's descriptor, in this turn
    Nanoseconds lastLook_ = 0;

    // Closed together; libuv needs their memory until it has called back, so it outlives this
    // object.
    struct Handles {
        uv_prepare_t prepare;
        uv_check_t check;
        uv_idle_t idle;
        uv_poll_t poll;
        uv_timer_t timer;

        std::array<uv_handle_t*, 5> all() {
            return {reinterpret_cast<uv_handle_t*>(&prepare),
                    reinterpret_cast<uv_handle_t*>(&check), reinterpret_cast<uv_handle_t*>(&idle),
                    reinterpret_cast<uv_handle_t*>(&poll), reinterpret_cast<uv_handle_t*>(&timer)};
        }
        std::size_t open = 5;
    };
    static void onClose(uv_handle_t* handle);
    Handles* handles_;
};

}  // namespace onecopy
