// Arrays born shared: ArrayBuffers over blocks of the rank's heap.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "addon/napi_setup.h"
#include "core/engine/error.h"

namespace onecopy {

class Engine;
struct RankFace;

// One block, from its allocation to the moment when nobody refers to it any more: the script by its
// ArrayBuffer, V8 by whatever else it has made of that, an operation in flight.
struct HeapBlock {
    void* data = nullptr;
    std::uint64_t bytes = 0;
    // V8's own reference counts of the memory, one for each ArrayBuffer over a part of it. Where V8
    // does not offer them, the finalizers alone tell.
    std::vector<std::weak_ptr<void>> memories;
    // Finalizers that have not been called.
    std::size_t finalizers = 0;
    bool counted = false;
    bool released = false;
};

// The blocks of this process. Outlives the engine for as long as V8 has finalizers to call.
class HeapBlocks {
   public:
    explicit HeapBlocks(Engine& engine) : engine_(&engine) {}

    void add(std::shared_ptr<HeapBlock> block);
    void release(HeapBlock& block);
    // Releases what nobody refers to any more. Node calls finalizers from the event loop only, and
    // a program of blocking calls never gets there.
    void sweep();
    // The same once so much has been allocated that it may be worth its time.
    void sweepIfWorthwhile(std::uint64_t bytes);
    void engineIsGone() { engine_ = nullptr; }

   private:
    Engine* engine_;
    std::vector<std::shared_ptr<HeapBlock>> blocks_;
    std::uint64_t liveBytes_ = 0;
    // Since the last sweep, and what was left then.
    std::uint64_t newBytes_ = 0;
    std::size_t newBlocks_ = 0;
    std::uint64_t leftBytes_ = 0;
    std::size_t leftBlocks_ = 0;
};

// Whether this ArrayBuffer was given back by free(): it is detached, and not by somebody else.
bool isFreed(napi_env env, napi_value arrayBuffer);

// A block that nobody refers to yet; collects garbage where there is no memory otherwise.
Error openBlock(napi_env env, RankFace& rank, std::uint64_t bytes, bool zeroed,
                std::shared_ptr<HeapBlock>& block);
// Gives back one that no ArrayBuffer was put over.
void dropBlock(RankFace& rank, HeapBlock& block);
// An ArrayBuffer over a part of a block, which lives as long as any; null if there can be none.
napi_value bufferOver(napi_env env, RankFace& rank, const std::shared_ptr<HeapBlock>& block,
                      std::uint64_t offset, std::uint64_t bytes);

void registerHeap(Napi::Env env, Napi::Object exports);

}  // namespace onecopy
