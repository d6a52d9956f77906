#include "core/os/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace onecopy {

namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

Mapping::Mapping(int fd, std::size_t bytes, Access access) : bytes_(bytes) {
    const int protection = access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE;
    void* address = ::mmap(nullptr, bytes, protection, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (address == MAP_FAILED) fail("mmap");
    address_ = address;
    // A child of this process has no business in the job's memory.
    ::madvise(address, bytes, MADV_DONTFORK);
}

Mapping::Mapping(int fd, std::size_t bytes, Access access, std::size_t alignment) : bytes_(bytes) {
    const int protection = access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE;
    const std::size_t reserved = bytes + alignment;
    void* place =
        ::mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) fail("mmap");
    const auto begin = reinterpret_cast<std::uintptr_t>(place);
    const std::uintptr_t start = (begin + alignment - 1) & ~(alignment - 1);
    void* address = ::mmap(reinterpret_cast<void*>(start), bytes, protection,
                           MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0);
    if (address == MAP_FAILED) {
        const int errnum = errno;
        ::munmap(place, reserved);
        errno = errnum;
        fail("mmap");
    }
    if (start > begin) ::munmap(place, start - begin);
    const std::uintptr_t end = begin + reserved;
    if (end > start + bytes)
        ::munmap(reinterpret_cast<void*>(start + bytes), end - (start + bytes));
    address_ = address;
    ::madvise(address, bytes, MADV_DONTFORK);
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
    if (this != &other) {
        reset();
        address_ = std::exchange(other.address_, nullptr);
        bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
}

void Mapping::reset() {
    if (address_ != nullptr) ::munmap(address_, bytes_);
    address_ = nullptr;
    bytes_ = 0;
}

UniqueFd makeMemory(const char* label, std::size_t bytes) {
    UniqueFd fd(::memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) fail("memfd_create");
    if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) fail("ftruncate");
    return fd;
}

void sealSize(int fd) {
    if (::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) fail("F_ADD_SEALS");
}

void sealForOthers(int fd) {
    if (::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) !=
        0) {
        fail("F_ADD_SEALS");
    }
}

std::size_t memoryBytes(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 0) return 0;
    return static_cast<std::size_t>(info.st_size);
}

}  // namespace onecopy
