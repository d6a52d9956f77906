// Shared memory without a name: memfds, their seals and their mappings.
#pragma once

#include <cstddef>
#include <utility>

#include "core/os/fd.h"

namespace onecopy {

// A mapping with an owner.
class Mapping {
   public:
    enum class Access { read, readWrite };

    Mapping() = default;
    // Maps `bytes` of `fd` shared; throws std::system_error.
    Mapping(int fd, std::size_t bytes, Access access);
    // The same at an address that is a multiple of `alignment`, so that huge pages can be mapped.
    Mapping(int fd, std::size_t bytes, Access access, std::size_t alignment);
    Mapping(Mapping&& other) noexcept
        : address_(std::exchange(other.address_, nullptr)),
          bytes_(std::exchange(other.bytes_, 0)) {}
    Mapping& operator=(Mapping&& other) noexcept;
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() { reset(); }

    void reset();
    std::size_t bytes() const { return bytes_; }
    explicit operator bool() const { return address_ != nullptr; }
    template <typename T>
    T* as() const {
        return static_cast<T*>(address_);
    }

   private:
    void* address_ = nullptr;
    std::size_t bytes_ = 0;
};

// A zeroed memfd of that size; close-on-exec; throws std::system_error. `label` is what /proc
// shows, no more.
UniqueFd makeMemory(const char* label, std::size_t bytes);

// Forbids any change of size from now on: a shortened memfd would kill every process that has it
// mapped. Leaves the door open for sealForOthers().
void sealSize(int fd);

// Called by the only writer after it has mapped the memory: nobody can map it for writing any more,
// and no seal can be added or lifted.
void sealForOthers(int fd);

// Bytes behind the descriptor, or 0 where fstat says it is no regular memory.
std::size_t memoryBytes(int fd);

}  // namespace onecopy
