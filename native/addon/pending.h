// Operations that outlive the call which started them, by the numbers that TypeScript knows them
// by.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "addon/napi_setup.h"
#include "addon/script_operator.h"
#include "addon/view.h"
#include "core/engine/request.h"
#include "core/schedule/execution.h"

namespace onecopy {

// The JavaScript object that an operation's bytes lie in, and the memory itself.
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

// A send or receive (`request`), or a collective operation (`execution`). Member order is
// destruction order, backwards: the execution goes before the memory that it works on.
struct Pending {
    ErrorCode hold(napi_env env, napi_value value) {
        const ErrorCode wrong = buffer.hold(env, value);
        request.setBuffer(buffer.view().data, buffer.view().bytes);
        request.owner = &buffer;
        return wrong;
    }
    void letGo() {
        buffer.letGo();
        output.letGo();
    }
    Request& operation() { return execution ? execution->handle : request; }
    Datatype type() const { return buffer.view().type; }

    double handle = 0;
    HeldBuffer buffer;  // the one buffer, or the first of two
    HeldBuffer output;
    std::unique_ptr<ScriptOperator> scriptOperator;
    Request request;
    std::unique_ptr<Execution> execution;
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
        slots_[index].member = std::make_unique<T>();
        free_.push_back(index);
    }

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
