#include "addon/heap.h"

#include <algorithm>

#include "addon/face.h"
#include "addon/view.h"

namespace onecopy {

namespace {

// Below this a sweep frees too little to be worth looking at every block.
constexpr std::uint64_t kSweepBytes = 8u << 20;
constexpr std::size_t kSweepBlocks = 64;

// So much reported at once makes V8 collect all garbage (its hard limit is 192 MiB above the last
// collection).
constexpr std::int64_t kPressureBytes = std::int64_t{1} << 31;

constexpr napi_type_tag kFreed = {0x6f6e65636f707921, 0x6672656564000001};

// What V8 keeps for a finalizer.
struct Held {
    std::shared_ptr<HeapBlocks> blocks;
    std::shared_ptr<HeapBlock> block;
};

void finalize(napi_env, void*, void* hint) {
    const std::unique_ptr<Held> held(static_cast<Held*>(hint));
    if (--held->block->finalizers == 0) held->blocks->release(*held->block);
}

HeapBlocks& blocksOf(RankFace& rank) {
    if (!rank.heap) rank.heap = std::make_shared<HeapBlocks>(*rank.engine);
    return *rank.heap;
}

void collectGarbage(napi_env env) {
    std::int64_t ignored = 0;
    napi_adjust_external_memory(env, kPressureBytes, &ignored);
    napi_adjust_external_memory(env, -kPressureBytes, &ignored);
}

// A zeroed ArrayBuffer, or an error number.
napi_value alloc(napi_env env, napi_callback_info info) {
    return guarded(env, [&]() -> napi_value {
        const Arguments<1> in(env, info);
        RankFace& rank = *face(env);
        const double wanted = in.real(env, 0);
        if (!(wanted >= 0 && wanted < 9007199254740992.0)) return code(env, ErrorCode::count);
        const auto bytes = static_cast<std::uint64_t>(wanted);
        std::shared_ptr<HeapBlock> block;
        if (const Error error = openBlock(env, rank, bytes, true, block)) {
            reportError(rank, error);
            return code(env, error.code);
        }
        const napi_value buffer = bufferOver(env, rank, block, 0, bytes);
        if (buffer != nullptr) return buffer;
        dropBlock(rank, *block);
        return code(env, ErrorCode::noMem);
    });
}

// Gives an array's memory back: the ArrayBuffer is detached, the block is free as soon as no
// operation uses it any more. Result: 1, or 0 if the buffer has no memory to give, or keeps it
// until it is collected.
napi_value freeArray(napi_env env, napi_callback_info info) {
    return guarded(env, [&] {
        const Arguments<1> in(env, info);
        RankFace& rank = *face(env);
        const napi_value buffer = in.values[0];
        bool detached = true;
        // Without V8's count nobody could tell when the last operation is done with the block.
        if (!rank.heap || napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok ||
            detached || !canPinMemory() || napi_type_tag_object(env, buffer, &kFreed) != napi_ok ||
            napi_detach_arraybuffer(env, buffer) != napi_ok)
            return number(env, 0);
        rank.heap->sweep();
        return number(env, 1);
    });
}

}  // namespace

void HeapBlocks::add(std::shared_ptr<HeapBlock> block) {
    liveBytes_ += block->bytes;
    newBytes_ += block->bytes;
    ++newBlocks_;
    blocks_.push_back(std::move(block));
}

void HeapBlocks::release(HeapBlock& block) {
    if (std::exchange(block.released, true)) return;
    liveBytes_ -= block.bytes;
    if (engine_ != nullptr) engine_->release(block.data);
    std::erase_if(blocks_, [&](const auto& each) { return each.get() == &block; });
}

void HeapBlocks::sweep() {
    for (const std::shared_ptr<HeapBlock>& block : blocks_) {
        if (!block->counted || !std::ranges::all_of(block->memories, [](const auto& memory) {
                return memory.expired();
            }))
            continue;
        block->released = true;
        liveBytes_ -= block->bytes;
        if (engine_ != nullptr) engine_->release(block->data);
    }
    std::erase_if(blocks_, [](const auto& block) { return block->released; });
    newBytes_ = 0;
    newBlocks_ = 0;
    leftBytes_ = liveBytes_;
    leftBlocks_ = blocks_.size();
}

void HeapBlocks::sweepIfWorthwhile(std::uint64_t bytes) {
    if (newBytes_ + bytes > std::max(kSweepBytes, leftBytes_ / 2) ||
        newBlocks_ + 1 > std::max(kSweepBlocks, leftBlocks_ / 2))
        sweep();
}

bool isFreed(napi_env env, napi_value arrayBuffer) {
    bool tagged = false;
    return napi_check_object_type_tag(env, arrayBuffer, &kFreed, &tagged) == napi_ok && tagged;
}

Error openBlock(napi_env env, RankFace& rank, std::uint64_t bytes, bool zeroed,
                std::shared_ptr<HeapBlock>& block) {
    HeapBlocks& blocks = blocksOf(rank);
    auto fresh = std::make_shared<HeapBlock>();
    fresh->bytes = bytes;
    blocks.sweepIfWorthwhile(bytes);
    Error error = rank.engine->allocate(bytes, fresh->data, zeroed);
    if (error.code == ErrorCode::noMem) {
        // There may be enough in arrays that the script has dropped.
        collectGarbage(env);
        blocks.sweep();
        error = rank.engine->allocate(bytes, fresh->data, zeroed);
    }
    if (error) return error;
    blocks.add(fresh);
    block = std::move(fresh);
    return {};
}

void dropBlock(RankFace& rank, HeapBlock& block) { rank.heap->release(block); }

napi_value bufferOver(napi_env env, RankFace& rank, const std::shared_ptr<HeapBlock>& block,
                      std::uint64_t offset, std::uint64_t bytes) {
    auto held = std::make_unique<Held>(Held{rank.heap, block});
    napi_value buffer = nullptr;
    ++block->finalizers;
    const napi_status status = napi_create_external_arraybuffer(
        env, static_cast<std::byte*>(block->data) + offset, bytes, finalize, held.get(), &buffer);
    // Where it failed, it is not told whether the finalizer was called, or will be: it finds the
    // block released, and what holds it is never freed.
    [[maybe_unused]] Held* kept = held.release();
    if (status != napi_ok) {
        bool pending = false;
        napi_value error;
        if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
            napi_get_and_clear_last_exception(env, &error);
        return nullptr;
    }
    if (const std::shared_ptr<void> memory = pinMemory(env, buffer)) {
        block->memories.push_back(memory);
        block->counted = true;
    }
    return buffer;
}

void registerHeap(Napi::Env env, Napi::Object exports) {
    exportRaw(env, exports, "alloc", alloc);
    exportRaw(env, exports, "free", freeArray);
}

}  // namespace onecopy
