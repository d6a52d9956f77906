// Messages in parts: the encoded value of an object, and the memory that travels along with it.
//
// Such a message begins with a head of (little-endian) a codec (u32), the number of attachments
// (u32), the length of the head (u64), the length of each attachment (u64), and what the codec
// wrote. The attachments follow, each at the next multiple of 64 bytes. packages/runtime writes it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "addon/heap.h"
#include "addon/napi_setup.h"
#include "core/engine/request.h"

namespace onecopy {

// What a message is sent from.
class SentParts final : public BufferOwner {
   public:
    SentParts() = default;
    ~SentParts() { letGo(); }
    SentParts(const SentParts&) = delete;
    SentParts& operator=(const SentParts&) = delete;

    // Takes hold of an array of buffers; says what is wrong with one of them.
    ErrorCode hold(napi_env env, napi_value list);
    bool stillThere() override;
    std::span<const iovec> pieces() const { return pieces_; }

   private:
    void letGo();

    napi_env env_ = nullptr;
    napi_ref list_ = nullptr;
    std::vector<iovec> pieces_;
    std::vector<std::shared_ptr<void>> memories_;
};

// What a message is received into.
class ReceivedParts final : public BufferMaker {
   public:
    ReceivedParts(napi_env env, RankFace& rank) : env_(env), rank_(rank) {}
    ~ReceivedParts();
    ReceivedParts(const ReceivedParts&) = delete;
    ReceivedParts& operator=(const ReceivedParts&) = delete;

    void* make(std::uint64_t bytes) override;
    // An array of ArrayBuffers: the head and each attachment. `protocol` if the message is not what
    // it should be, `noMem` if there is no memory for them.
    ErrorCode unpack(napi_value& parts);
    // The same for a message that lies somewhere else, all of it copied.
    static ErrorCode unpackFrom(napi_env env, std::span<const std::byte> message,
                                napi_value& parts);

   private:
    napi_env env_;
    RankFace& rank_;
    std::uint64_t bytes_ = 0;
    std::unique_ptr<std::byte[]> small_;
    std::shared_ptr<HeapBlock> block_;
};

// The parts of a message that an operation sends or receives.
struct PendingParts {
    std::unique_ptr<SentParts> sent;
    std::unique_ptr<ReceivedParts> received;
};

void registerParts(Napi::Env env, Napi::Object exports);

}  // namespace onecopy
