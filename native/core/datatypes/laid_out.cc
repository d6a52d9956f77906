#include "core/datatypes/laid_out.h"

#include <cstring>

#include "core/datatypes/walk.h"

namespace onecopy {

namespace {

// A constant length becomes one load and one store.
inline void copyRun(std::byte* to, const std::byte* from, std::uint64_t bytes) {
    switch (bytes) {
        case 1:
            std::memcpy(to, from, 1);
            return;
        case 2:
            std::memcpy(to, from, 2);
            return;
        case 4:
            std::memcpy(to, from, 4);
            return;
        case 8:
            std::memcpy(to, from, 8);
            return;
        case 16:
            std::memcpy(to, from, 16);
            return;
        default:
            std::memcpy(to, from, bytes);
    }
}

// `Packs`: from the memory into the stream; otherwise the other way.
template <bool Packs>
struct Copier {
    std::byte* base;
    std::byte* stream;

    bool run(std::int64_t place, std::uint64_t bytes) {
        copyRun(Packs ? stream : base + place, Packs ? base + place : stream, bytes);
        stream += bytes;
        return true;
    }

    template <std::uint64_t Bytes>
    void runsOf(std::byte* memory, std::int64_t stride, std::uint64_t count) {
        std::byte* at = stream;
        for (std::uint64_t i = 0; i < count; ++i) {
            std::memcpy(Packs ? at : memory, Packs ? memory : at, Bytes);
            memory += stride;
            at += Bytes;
        }
        stream = at;
    }

    bool runs(std::int64_t place, std::int64_t stride, std::uint64_t bytes, std::uint64_t count) {
        std::byte* memory = base + place;
        switch (bytes) {
            case 1:
                runsOf<1>(memory, stride, count);
                return true;
            case 2:
                runsOf<2>(memory, stride, count);
                return true;
            case 4:
                runsOf<4>(memory, stride, count);
                return true;
            case 8:
                runsOf<8>(memory, stride, count);
                return true;
            case 12:
                runsOf<12>(memory, stride, count);
                return true;
            case 16:
                runsOf<16>(memory, stride, count);
                return true;
            case 24:
                runsOf<24>(memory, stride, count);
                return true;
            case 32:
                runsOf<32>(memory, stride, count);
                return true;
            default:
                for (std::uint64_t i = 0; i < count; ++i, memory += stride, stream += bytes)
                    std::memcpy(Packs ? stream : memory, Packs ? memory : stream, bytes);
                return true;
        }
    }
};

// Runs that happen to touch become one entry.
struct Cutter {
    std::byte* base;
    std::span<iovec> list;
    IoCursor::Cut found;

    bool run(std::int64_t place, std::uint64_t bytes) {
        std::byte* at = base + place;
        if (found.entries > 0) {
            iovec& last = list[found.entries - 1];
            if (static_cast<std::byte*>(last.iov_base) + last.iov_len == at) {
                last.iov_len += bytes;
                found.bytes += bytes;
                return true;
            }
        }
        if (found.entries == list.size()) return false;
        list[found.entries++] = {at, bytes};
        found.bytes += bytes;
        return true;
    }
    bool runs(std::int64_t place, std::int64_t stride, std::uint64_t bytes, std::uint64_t count) {
        for (; count > 0; --count, place += stride) {
            if (!run(place, bytes)) return false;
        }
        return true;
    }
};

}  // namespace

LaidOut::LaidOut(std::shared_ptr<const Layout> layout, void* base, std::uint64_t count)
    : layout_(std::move(layout)), base_(static_cast<std::byte*>(base)) {
    bool used = false;
    whole_ = repeated(layout_->item(), count, layout_->extent(), items_, used);
}

void LaidOut::copyOut(std::uint64_t offset, std::byte* to, std::uint64_t bytes) const {
    if (bytes == 0) return;
    Copier<true> copier{base_, to};
    walk(whole_, 0, offset, offset + bytes, copier);
}

void LaidOut::copyIn(std::uint64_t offset, const std::byte* from, std::uint64_t bytes) const {
    if (bytes == 0) return;
    Copier<false> copier{base_, const_cast<std::byte*>(from)};
    walk(whole_, 0, offset, offset + bytes, copier);
}

IoCursor::Cut LaidOut::cut(std::uint64_t offset, std::uint64_t bytes, std::span<iovec> list) const {
    Cutter cutter{base_, list, {}};
    if (bytes > 0) walk(whole_, 0, offset, offset + bytes, cutter);
    return cutter.found;
}

std::span<const iovec> LaidOut::list() {
    if (list_.empty() && whole_.bytes > 0) {
        list_.resize(whole_.runs());
        list_.resize(cut(0, whole_.bytes, list_).entries);
    }
    return list_;
}

}  // namespace onecopy
