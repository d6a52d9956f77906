#include "core/schedule/operands.h"

#include <cstring>

namespace onecopy {

namespace {

// Each scratch buffer begins on a cache line of its own.
constexpr std::uint64_t kAlignment = 64;

// Lengths that come from another rank are believed up to here.
constexpr std::uint64_t kMostCounted = std::uint64_t{1} << 46;

std::uint64_t aligned(std::uint64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// floor(block * count / blocks) without overflow.
std::uint64_t share(std::uint64_t count, std::uint64_t block, std::uint64_t blocks) {
    return count / blocks * block + count % blocks * block / blocks;
}

}  // namespace

Operands::Operands(const Schedule& schedule, Operand in, Operand out)
    : schedule_(schedule),
      operands_{std::move(in), std::move(out)},
      scratch_(schedule.buffers.size() - 2) {}

bool Operands::fit() const {
    for (std::uint32_t buffer = kIn; buffer <= kOut; ++buffer) {
        const Operand& operand = operands_[buffer];
        const BufferShape& shape = schedule_.buffers[buffer];
        if (shape.layout == LayoutKind::listed) {
            // A rank that does not have this buffer: no step of its schedule uses it.
            if (operand.listed.empty() && operand.bytes == 0) continue;
            if (operand.listed.size() != shape.blocks) return false;
            for (const ByteRange& block : operand.listed) {
                if (block.bytes > operand.bytes || block.offset > operand.bytes - block.bytes)
                    return false;
            }
        } else if (begin(buffer, shape.blocks) > operand.bytes) {
            return false;
        }
    }
    return true;
}

void Operands::allocate() {
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < scratch_.size(); ++i) {
        const BufferShape& shape = schedule_.buffers[i + 2];
        if (shape.layout == LayoutKind::counted) continue;
        scratch_[i].bytes = begin(i + 2, shape.blocks);
        scratch_[i].ready = true;
        total += aligned(scratch_[i].bytes);
    }
    if (total == 0) return;
    memory_ = std::make_unique_for_overwrite<std::byte[]>(total + kAlignment);
    const auto start = reinterpret_cast<std::uintptr_t>(memory_.get());
    std::byte* next = memory_.get() + (aligned(start) - start);
    for (Scratch& scratch : scratch_) {
        if (!scratch.ready) continue;
        scratch.data = next;
        next += aligned(scratch.bytes);
    }
}

bool Operands::ready(std::uint32_t buffer) {
    if (buffer <= kOut) return true;
    Scratch& scratch = scratch_[buffer - 2];
    if (scratch.ready) return true;
    const BufferShape& shape = schedule_.buffers[buffer];
    const std::byte* lengths = data(shape.counts);
    scratch.begins.assign(1, 0);
    for (std::uint32_t block = 0; block < shape.blocks; ++block) {
        std::uint64_t length = 0;
        std::memcpy(&length, lengths + block * sizeof length, sizeof length);
        if (length > kMostCounted - scratch.begins.back()) return false;
        scratch.begins.push_back(scratch.begins.back() + length);
    }
    scratch.bytes = scratch.begins.back();
    scratch.own = std::make_unique_for_overwrite<std::byte[]>(scratch.bytes);
    scratch.data = scratch.own.get();
    scratch.ready = true;
    return true;
}

std::byte* Operands::data(std::uint32_t buffer) const {
    return buffer <= kOut ? operands_[buffer].data : scratch_[buffer - 2].data;
}

std::uint64_t Operands::elements(std::uint32_t buffer) const {
    const std::uint32_t like = schedule_.buffers[buffer].like;
    return like == kLengths ? 1 : operands_[like].count;
}

std::uint64_t Operands::elementBytes(std::uint32_t buffer) const {
    const std::uint32_t like = schedule_.buffers[buffer].like;
    return like == kLengths ? sizeof(std::uint64_t) : operands_[like].elementBytes;
}

Datatype Operands::type(std::uint32_t buffer) const {
    const std::uint32_t like = schedule_.buffers[buffer].like;
    return like == kLengths ? Datatype::uint64 : operands_[like].type;
}

std::uint64_t Operands::begin(std::uint32_t buffer, std::uint32_t block) const {
    const BufferShape& shape = schedule_.buffers[buffer];
    if (shape.layout == LayoutKind::counted) return scratch_[buffer - 2].begins[block];
    if (shape.layout == LayoutKind::even) return elements(buffer) * elementBytes(buffer) * block;
    return shape.blocks == 0 ? 0
                             : share(elements(buffer), block, shape.blocks) * elementBytes(buffer);
}

ByteRange Operands::extent(std::uint32_t buffer, std::uint32_t block) const {
    if (schedule_.buffers[buffer].layout == LayoutKind::listed)
        return operands_[buffer].listed[block];
    const std::uint64_t start = begin(buffer, block);
    return {start, begin(buffer, block + 1) - start};
}

std::uint64_t Operands::bytes(const Region& region) const {
    std::uint64_t sum = 0;
    const bool listed = schedule_.buffers[region.buffer].layout == LayoutKind::listed;
    for (const BlockRange& range : schedule_.rangesOf(region)) {
        if (!listed) {
            sum += begin(region.buffer, range.first + range.blocks) -
                   begin(region.buffer, range.first);
            continue;
        }
        for (std::uint32_t i = 0; i < range.blocks; ++i)
            sum += extent(region.buffer, range.first + i).bytes;
    }
    return sum;
}

std::byte* Operands::address(const Region& region) const {
    const auto ranges = schedule_.rangesOf(region);
    if (ranges.empty()) return data(region.buffer);
    const std::uint32_t block = ranges[0].first;
    if (schedule_.buffers[region.buffer].layout == LayoutKind::listed)
        return data(region.buffer) + extent(region.buffer, block).offset;
    return data(region.buffer) + begin(region.buffer, block);
}

void Operands::pieces(const Region& region, std::vector<iovec>& list) const {
    const std::size_t before = list.size();
    const auto add = [&](std::uint64_t offset, std::uint64_t length) {
        if (length == 0) return;
        std::byte* start = data(region.buffer) + offset;
        if (list.size() > before) {
            iovec& last = list.back();
            if (static_cast<std::byte*>(last.iov_base) + last.iov_len == start) {
                last.iov_len += length;
                return;
            }
        }
        list.push_back({start, length});
    };
    const bool listed = schedule_.buffers[region.buffer].layout == LayoutKind::listed;
    for (const BlockRange& range : schedule_.rangesOf(region)) {
        if (!listed) {
            const std::uint64_t start = begin(region.buffer, range.first);
            add(start, begin(region.buffer, range.first + range.blocks) - start);
            continue;
        }
        for (std::uint32_t i = 0; i < range.blocks; ++i) {
            const ByteRange block = extent(region.buffer, range.first + i);
            add(block.offset, block.bytes);
        }
    }
}

std::uint64_t Operands::position(const Region& whole, const Region& part) const {
    const auto parts = schedule_.rangesOf(part);
    if (parts.empty()) return 0;
    const std::uint32_t wanted = parts[0].first;
    std::uint64_t before = 0;
    for (const BlockRange& range : schedule_.rangesOf(whole)) {
        const bool here = wanted >= range.first && wanted < range.first + range.blocks;
        const std::uint32_t end = here ? wanted : range.first + range.blocks;
        for (std::uint32_t block = range.first; block < end; ++block)
            before += extent(whole.buffer, block).bytes;
        if (here) break;
    }
    return before;
}

void Operands::measure(const Region& region, std::vector<std::uint64_t>& lengths) const {
    for (const BlockRange& range : schedule_.rangesOf(region)) {
        for (std::uint32_t i = 0; i < range.blocks; ++i)
            lengths.push_back(extent(region.buffer, range.first + i).bytes);
    }
}

}  // namespace onecopy
