// One copy, without the kernel: the payload lies in memory that was shared from the start (a memfd
// of the sender), and the receiver copies it from there. With ordinary stores, that is memcpy, or
// with stores that go past the cache.

#include <cstring>

#include "mover.h"
#include "streaming_copy.h"

namespace onecopy::bench {

namespace {

class Heap : public Mover {
   public:
    std::string_view name() const override { return "heap"; }

    bool usesHeap() const override { return true; }

    Progress send(Message& message) override { return offer(message); }

    Progress receive(Message& message) override {
        if (!message.lane->isSent(message.sequence)) return Progress::waiting;
        copy(message);
        message.lane->receive(message.sequence);
        return Progress::done;
    }

   private:
    virtual void copy(const Message& message) {
        std::memcpy(message.data, message.shared, message.bytes);
    }
};

class StreamingHeap : public Heap {
   public:
    std::string_view name() const override { return "heap-nt"; }

    std::string details() const override {
        return ",\"stores\":\"" + std::string(streaming_.stores) + '"';
    }

   private:
    void copy(const Message& message) override {
        if (streaming_.copy == nullptr) {
            throw Refused("no non-temporal stores are known for this kind of processor");
        }
        streaming_.copy(message.data, message.shared, message.bytes);
    }

    StreamingCopy streaming_ = chooseStreamingCopy();
};

}  // namespace

std::unique_ptr<Mover> makeHeap() { return std::make_unique<Heap>(); }

std::unique_ptr<Mover> makeStreamingHeap() { return std::make_unique<StreamingHeap>(); }

}  // namespace onecopy::bench
