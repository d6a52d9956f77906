#include "memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace onecopy::bench {

namespace {

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

Range map(std::uint64_t bytes, int protection, int flags) {
    void* address = ::mmap(nullptr, bytes, protection, flags | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) fail("mmap");
    return {address, bytes};
}

}  // namespace

Range::~Range() {
    if (address_ != nullptr) ::munmap(address_, bytes_);
}

SharedMemory::SharedMemory(std::uint64_t bytes)
    : range_(map(roundUp(bytes, kPage), PROT_READ | PROT_WRITE, MAP_SHARED)) {}

Region::Region(std::uint64_t bytes, Pages pages, int fd)
    : bytes_(roundUp(bytes, kHugePage)), pages_(pages) {
    // What is left before and after keeps neighbours away: the kernel would make one mapping of
    // both.
    reserved_ = map(bytes_ + 2 * kHugePage, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
    const auto start = reinterpret_cast<std::uint64_t>(reserved_.address());
    data_ = reserved_.address() + (roundUp(start + 1, kHugePage) - start);
    const int kind = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    if (::mmap(data_, bytes_, PROT_READ | PROT_WRITE, kind | MAP_FIXED, fd, 0) == MAP_FAILED) {
        fail("mmap");
    }
    // Refused where the kernel has no huge pages at all; then hugeShare() tells.
    ::madvise(data_, bytes_, pages == Pages::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

void Region::populate() {
    for (std::uint64_t offset = 0; offset < bytes_; offset += kPage) {
        *const_cast<volatile std::byte*>(data_ + offset) = std::byte{0};
    }
    if (pages_ == Pages::small) return;
    // Shared memory rarely gets huge pages unasked (shmem_enabled is mostly "never"), private
    // memory not when the system was short of them.
    for (std::uint64_t offset = 0; offset < bytes_; offset += kHugePage) {
        ::madvise(data_ + offset, kHugePage, MADV_COLLAPSE);
    }
}

std::optional<double> Region::hugeShare() const {
    if (bytes_ == 0) return {};
    std::ifstream in("/proc/self/smaps");
    const auto start = reinterpret_cast<std::uint64_t>(data_);
    bool inside = false;
    bool told = false;
    std::uint64_t huge = 0;
    for (std::string line; std::getline(in, line);) {
        // Either "start-end permissions …" or "Name:   123 kB".
        const std::size_t dash = line.find('-');
        const std::size_t space = line.find(' ');
        if (dash < space && line.find(':') > dash) {
            const std::uint64_t address = std::stoull(line.substr(0, dash), nullptr, 16);
            inside = address >= start && address < start + bytes_;
        } else if (inside &&
                   (line.starts_with("AnonHugePages:") || line.starts_with("ShmemPmdMapped:"))) {
            std::istringstream fields(line.substr(line.find(':') + 1));
            std::uint64_t kilobytes = 0;
            fields >> kilobytes;
            huge += kilobytes * 1024;
            told = true;
        }
    }
    if (!told) return {};
    return static_cast<double>(huge) / static_cast<double>(bytes_);
}

std::optional<std::uint64_t> availableMemory() {
    std::ifstream in("/proc/meminfo");
    for (std::string name; in >> name;) {
        std::uint64_t kilobytes = 0;
        if (name == "MemAvailable:" && in >> kilobytes) return kilobytes * 1024;
    }
    return {};
}

}  // namespace onecopy::bench
