// Operations that outlive the call which started them, by the numbers that TypeScript knows them
// by.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "addon/addressed.h"
#include "addon/napi_setup.h"
#include "addon/parts.h"
#include "addon/script_operator.h"
#include "addon/view.h"
#include "core/engine/request.h"
#include "core/schedule/execution.h"

namespace onecopy {

// The JavaScript object that a collective operation's bytes lie in, and the memory itself.
class HeldBuffer final : public BufferOwner {
   public:
    // Takes hold of the value; says what is wrong with it.
    ErrorCode hold(napi_env env, napi_value value);
    void letGo();

    bool stillThere() override;
    const View& view() const { return view_; }

   private:
    napi_env env_ = nullptr;
    napi_ref reference_ = nullptr;
    std::shared_ptr<void> memory_;
    View view_;
};

// The JavaScript objects that the bytes of sends and receives lie in. TypeScript keeps them, in an
// array by slot: a reference for each message would cost more than all the rest of it.
struct KeptViews {
    napi_env env = nullptr;
    napi_ref array = nullptr;
    // The call of the addon that is going on, 0 for none. No script runs within it: a buffer that
    // was seen to be there during this call is there still.
    std::uint64_t call = 0;
    std::uint64_t calls = 0;

    // An operator in JavaScript has run in the middle of a call.
    void scriptHasRun() {
        if (call != 0) call = ++calls;
    }
};

// For the length of a call.
class Looking {
   public:
    explicit Looking(KeptViews& views) : views_(views) { views_.call = ++views_.calls; }
    ~Looking() { views_.call = 0; }
    Looking(const Looking&) = delete;
    Looking& operator=(const Looking&) = delete;

   private:
    KeptViews& views_;
};

// The buffer of a send or receive.
class KeptBuffer final : public BufferOwner {
   public:
    void keep(KeptViews& views, std::uint32_t slot, const View& view) {
        views_ = &views;
        slot_ = slot;
        data_ = view.data;
        bytes_ = view.bytes;
        seenIn_ = views.call;
    }
    // Keeps the memory as well, where another process may touch it: a script could transfer it to
    // another thread, which could free it.
    void pin(napi_value value) { memory_ = pinMemory(views_->env, value); }
    // TypeScript has seen, just before this call, that it is there.
    void seen() { seenIn_ = views_->call; }

    bool stillThere() override {
        const ErrorCode found = look();
        // An array that was freed is out of the script's reach, and its memory is not used for
        // anything else before this operation lets go of it.
        return found == ErrorCode::ok || (found == ErrorCode::freed && memory_ != nullptr);
    }
    // The same memory, of the same length; otherwise what has become of it.
    ErrorCode look() {
        return seenIn_ == views_->call && seenIn_ != 0 ? ErrorCode::ok : lookAgain();
    }

   private:
    ErrorCode lookAgain();

    KeptViews* views_ = nullptr;
    std::uint32_t slot_ = 0;
    std::uint64_t seenIn_ = 0;
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
    std::shared_ptr<void> memory_;
};

// Member order is destruction order, backwards: the execution goes before the memory that it works
// on.
struct PendingCollective {
    ~PendingCollective() {
        execution.reset();
        input.letGo();
        output.letGo();
    }

    HeldBuffer input;
    HeldBuffer output;
    std::unique_ptr<ScriptOperator> scriptOperator;
    std::unique_ptr<Execution> execution;
};

// What each round of a persistent request starts with.
struct Prepared {
    Addressed to;
    View view;
    bool receives = false;
    bool active = false;
    // Forgotten when the round that goes on has ended.
    bool freed = false;
    // Of items of a datatype, so many.
    std::shared_ptr<const Layout> layout = nullptr;
    std::uint64_t count = 0;
};

// A send or receive (`request`), or a collective operation. A persistent one keeps its handle and
// its buffer from round to round.
struct Pending {
    Request& operation() { return collective ? collective->execution->handle : request; }
    bool active() const { return !prepared || prepared->active; }

    // For another round: nothing is left of the one before.
    void renewRequest() {
        std::destroy_at(&request);
        std::construct_at(&request);
        if (prepared->layout) {
            request.setBuffer(
                std::make_unique<LaidOut>(prepared->layout, prepared->view.data, prepared->count));
        } else {
            request.setBuffer(prepared->view.data, prepared->view.bytes);
        }
        request.owner = &buffer;
        request.cookie = this;
    }

    double handle = 0;
    KeptBuffer buffer;
    // Of an object. Outlives the request, which refers to it.
    std::unique_ptr<PendingParts> parts;
    Request request;
    std::unique_ptr<PendingCollective> collective;
    std::unique_ptr<Prepared> prepared;
};

// Hands out numbers that are never used twice, so that a stale one finds nothing.
template <typename T>
class HandleTable {
   public:
    // A fresh member and its handle (> 0).
    T& open(double& handle) {
        std::size_t index;
        if (free_.empty()) {
            index = slots_.size();
            if (static_cast<double>(index) >= kSlots) throw std::bad_alloc();
            slots_.push_back({std::make_unique<T>(), 0, false});
        } else {
            index = free_.back();
            free_.pop_back();
        }
        Slot& slot = slots_[index];
        slot.open = true;
        ++slot.generation;
        handle = static_cast<double>(slot.generation) * kSlots + static_cast<double>(index);
        return *slot.member;
    }
    T* find(double handle) const {
        const std::size_t index = indexOf(handle);
        return index < slots_.size() && isOpen(slots_[index], handle, index)
                   ? slots_[index].member.get()
                   : nullptr;
    }
    void close(double handle) {
        const std::size_t index = indexOf(handle);
        if (index >= slots_.size() || !isOpen(slots_[index], handle, index)) return;
        slots_[index].open = false;
        // As new, in its place: an allocation costs as much as the rest of a small message.
        static_assert(std::is_nothrow_default_constructible_v<T>);
        std::destroy_at(slots_[index].member.get());
        std::construct_at(slots_[index].member.get());
        free_.push_back(index);
    }

    // Where the member of an open handle lies: small numbers, which are used again.
    static std::size_t slotOf(double handle) { return indexOf(handle); }

   private:
    static constexpr double kSlots = 1 << 22;
    struct Slot {
        std::unique_ptr<T> member;
        std::uint64_t generation;
        bool open;
    };
    static std::size_t indexOf(double handle) {
        if (!(handle >= kSlots) || handle > 9007199254740991.0) return ~std::size_t{0};
        return static_cast<std::size_t>(static_cast<std::uint64_t>(handle) %
                                        static_cast<std::uint64_t>(kSlots));
    }
    static bool isOpen(const Slot& slot, double handle, std::size_t index) {
        return slot.open &&
               handle == static_cast<double>(slot.generation) * kSlots + static_cast<double>(index);
    }

    std::vector<Slot> slots_;
    std::vector<std::size_t> free_;
};

}  // namespace onecopy
