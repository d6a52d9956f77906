// Operations that outlive the call which started them, by the numbers that TypeScript knows them
// by.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "addon/napi_setup.h"
#include "addon/view.h"
#include "core/engine/request.h"

namespace onecopy {

// The request, the JavaScript object that its bytes lie in, and the memory itself.
class Pending final : public BufferOwner {
   public:
    // Takes hold of the value; says what is wrong with it.
    ErrorCode hold(napi_env env, napi_value value);
    void letGo();

    bool stillThere() override;
    Datatype type() const { return view_.type; }

    Request request;
    double handle = 0;

   private:
    napi_env env_ = nullptr;
    napi_ref reference_ = nullptr;
    std::shared_ptr<void> memory_;
    View view_;
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
