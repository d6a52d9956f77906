#include "addon/job.h"

#include <uv.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <csignal>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "addon/job_event.h"
#include "addon/job_options.h"
#include "core/launch/cores.h"
#include "core/launch/event.h"
#include "core/launch/job.h"
#include "core/launch/spawn.h"

namespace onecopy {

namespace {

// "mmap: Cannot allocate memory" was thrown with the name of the system call; a sentence was not.
std::string syscallOf(const std::system_error& error) {
    if (const auto* spawn = dynamic_cast<const SpawnError*>(&error)) return spawn->syscall();
    const std::string what = error.what();
    const std::string start = what.substr(0, what.find(':'));
    const auto isWord = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    return std::ranges::all_of(start, isWord) ? start : "";
}

// As Node's own system errors: a negative errno, its name in `code`, and the system call.
void throwSystemError(Napi::Env env, const std::system_error& error) {
    const int number = -error.code().value();
    Napi::Error thrown = Napi::Error::New(env, error.what());
    Napi::Object object = thrown.Value();
    object.Set("errno", number);
    object.Set("code", uv_err_name(number));
    const std::string syscall = syscallOf(error);
    if (!syscall.empty()) object.Set("syscall", syscall);
    thrown.ThrowAsJavaScriptException();
}

// A job and its way to the listener: the watch thread hands events to a thread-safe function, which
// keeps the event loop alive and is released after the last one.
class RunningJob {
   public:
    RunningJob() = default;
    RunningJob(const RunningJob&) = delete;
    RunningJob& operator=(const RunningJob&) = delete;
    ~RunningJob() { stop(); }

    // Throws what Job does. The watch thread may call deliver() before this returns.
    void start(const JobOptions& options, napi_threadsafe_function deliver) {
        deliver_ = deliver;
        job_ = std::make_unique<Job>(options, [this](const JobEvent& event) { tell(event); });
    }

    // Null when the last event has been delivered: nothing is left to be asked for.
    Job* job() { return job_.get(); }
    // Closes what the launcher held of it, without waiting for the garbage collector.
    void close() { job_.reset(); }

    void stop() {
        if (job_) job_->stop();
    }

    // At the exit of the process the event loop is no longer there to be told anything.
    void stopSilently() {
        silent_.store(true, std::memory_order_release);
        stop();
    }

   private:
    void tell(const JobEvent& event) {
        if (silent_.load(std::memory_order_acquire)) return;
        auto copy = std::make_unique<JobEvent>(event);
        // The event loop is on its way out when this fails; then nobody listens any more.
        if (napi_call_threadsafe_function(deliver_, copy.get(), napi_tsfn_nonblocking) == napi_ok) {
            copy.release();  // to callListener
        }
        if (event.kind == JobEvent::Kind::end) {
            napi_release_threadsafe_function(deliver_, napi_tsfn_release);
        }
    }

    napi_threadsafe_function deliver_ = nullptr;
    std::atomic<bool> silent_{false};
    std::unique_ptr<Job> job_;  // last: its thread uses what stands above
};

using SharedJob = std::shared_ptr<RunningJob>;

// Ends the job when the process leaves through exit() with a job under way: the ranks would die
// with it anyway, other processes of their groups would not.
class ExitGuard {
   public:
    static ExitGuard& instance() {
        static ExitGuard guard;
        return guard;
    }

    void add(const SharedJob& job) {
        const std::lock_guard lock(mutex_);
        std::erase_if(jobs_, [](const auto& weak) { return weak.expired(); });
        jobs_.push_back(job);
    }

    ~ExitGuard() {
        for (const auto& weak : jobs_) {
            if (const SharedJob job = weak.lock()) job->stopSilently();
        }
    }

   private:
    std::mutex mutex_;
    std::vector<std::weak_ptr<RunningJob>> jobs_;
};

// On the event loop. `env` is null when the loop is gone and only the event's memory is left to
// free.
void callListener(napi_env rawEnv, napi_value listener, void*, void* data) {
    const std::unique_ptr<JobEvent> event(static_cast<JobEvent*>(data));
    if (rawEnv == nullptr || listener == nullptr) return;
    const Napi::Env env(rawEnv);
    const napi_value argument = toObject(env, *event);
    napi_value result;
    if (napi_call_function(rawEnv, env.Undefined(), listener, 1, &argument, &result) ==
        napi_pending_exception) {
        // Left alone, Node would turn it into a deprecation warning.
        napi_value error;
        if (napi_get_and_clear_last_exception(rawEnv, &error) == napi_ok) {
            napi_fatal_exception(rawEnv, error);
        }
    }
}

void stopAtTeardown(void* job) { static_cast<RunningJob*>(job)->stop(); }

// The thread-safe function is gone: the last event was delivered, or never will be.
void forget(napi_env env, void* data, void*) {
    const std::unique_ptr<SharedJob> job(static_cast<SharedJob*>(data));
    napi_remove_env_cleanup_hook(env, stopAtTeardown, job->get());
    (*job)->close();
}

napi_threadsafe_function makeDelivery(Napi::Env env, const Napi::Function& listener,
                                      const SharedJob& job) {
    auto owner = std::make_unique<SharedJob>(job);
    napi_threadsafe_function deliver = nullptr;
    const napi_status status = napi_create_threadsafe_function(
        env, listener, nullptr, Napi::String::New(env, "onecopy job"), 0, 1, owner.get(), forget,
        nullptr, callListener, &deliver);
    if (status != napi_ok) return nullptr;
    owner.release();  // to forget()
    // After the thread-safe function, since hooks run last first: the watch thread has ended when
    // that one goes.
    napi_add_env_cleanup_hook(env, stopAtTeardown, job.get());
    return deliver;
}

Napi::Array toArray(Napi::Env env, std::vector<UniqueFd> descriptors) {
    Napi::Array array = Napi::Array::New(env, descriptors.size());
    for (std::uint32_t i = 0; i < descriptors.size(); ++i) array.Set(i, descriptors[i].release());
    return array;
}

Napi::Object toObject(Napi::Env env, const SharedJob& running) {
    Job& job = *running->job();
    Napi::Object object = Napi::Object::New(env);
    object.Set("id", job.id());
    Napi::Array pids = Napi::Array::New(env, job.pids().size());
    for (std::uint32_t i = 0; i < job.pids().size(); ++i) pids.Set(i, job.pids()[i]);
    object.Set("pids", pids);
    object.Set("stdout", toArray(env, job.takeOutputs()));
    object.Set("stderr", toArray(env, job.takeErrors()));
    object.Set("stdin", job.takeInput().release());
    object.Set("end", Napi::Function::New(
                          env,
                          [running](const Napi::CallbackInfo& info) {
                              const int signal =
                                  info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : 0;
                              if (signal < 1 || signal >= NSIG) {
                                  Napi::TypeError::New(info.Env(), "end() needs a signal's number")
                                      .ThrowAsJavaScriptException();
                                  return;
                              }
                              if (Job* job = running->job()) job->end(signal);
                          },
                          "end"));
    return object;
}

Napi::Value launch(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsObject() || !info[1].IsFunction()) {
        Napi::TypeError::New(env, "launch() needs options and a listener")
            .ThrowAsJavaScriptException();
        return env.Undefined();
    }
    const auto running = std::make_shared<RunningJob>();
    napi_threadsafe_function deliver = nullptr;
    try {
        const JobOptions options = readOptions(info[0].As<Napi::Object>());
        deliver = makeDelivery(env, info[1].As<Napi::Function>(), running);
        if (deliver == nullptr) throw std::runtime_error("the listener cannot be registered");
        running->start(options, deliver);
        ExitGuard::instance().add(running);
        return toObject(env, running);
    } catch (const std::system_error& error) {
        throwSystemError(env, error);
    } catch (const std::invalid_argument& error) {
        Napi::TypeError::New(env, error.what()).ThrowAsJavaScriptException();
    } catch (const std::exception& error) {
        Napi::Error::New(env, error.what()).ThrowAsJavaScriptException();
    }
    if (deliver != nullptr) napi_release_threadsafe_function(deliver, napi_tsfn_abort);
    return env.Undefined();
}

Napi::Value cores(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(usableCores()));
}

}  // namespace

void registerJob(Napi::Env env, Napi::Object exports) {
    exports.Set("launch", Napi::Function::New(env, launch, "launch"));
    exports.Set("usableCores", Napi::Function::New(env, cores, "usableCores"));
}

}  // namespace onecopy
