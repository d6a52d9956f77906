// The transfer state word: two threads race for it.
#include "core/transfer/transfer.h"

#include <atomic>
#include <memory>
#include <thread>

#include "test/harness.h"

using namespace onecopy;

TEST("transfer: slots are reused, generations never repeat") {
    const auto direction = std::make_unique<PairDirection>();
    OutgoingTransfers out(*direction);
    const TransferName first = *out.publish();
    const TransferName second = *out.publish();
    CHECK_EQ(first.slot, 0u);
    CHECK_EQ(second.slot, 1u);
    CHECK(out.withdraw(first));
    CHECK(!out.withdraw(first));
    const TransferName again = *out.publish();
    CHECK_EQ(again.slot, 0u);
    CHECK(again.generation != first.generation);

    IncomingTransfers in(*direction);
    CHECK(!in.published(first));
    CHECK(!in.claim(first));
    CHECK(in.claim(again));
    CHECK(!in.claim(again));
    CHECK(!out.withdraw(again));
    in.finish(again, TransferState::done);
    CHECK(out.look(again) == TransferState::done);
    CHECK_EQ(direction->finished.load(), 1u);
}

TEST("transfer: all slots in flight leaves the next one waiting") {
    const auto direction = std::make_unique<PairDirection>();
    OutgoingTransfers out(*direction);
    TransferName last;
    for (std::uint32_t i = 0; i < kTransferSlots; ++i) last = *out.publish();
    CHECK(!out.publish().has_value());
    CHECK(out.withdraw(last));
    CHECK_EQ(out.publish()->slot, last.slot);
}

TEST("transfer: of withdraw and claim exactly one succeeds") {
    constexpr int kRounds = 20'000;
    const auto direction = std::make_unique<PairDirection>();
    std::atomic<std::uint64_t> offered{0};
    std::atomic<int> answered{0};
    int claimed = 0;
    std::thread receiver([&] {
        IncomingTransfers in(*direction);
        for (int round = 1; round <= kRounds; ++round) {
            std::uint64_t offer;
            while ((offer = offered.load(std::memory_order_acquire)) >> 32 !=
                   static_cast<std::uint64_t>(round)) {
            }
            const TransferName name{0, static_cast<std::uint32_t>(offer)};
            if (in.claim(name)) {
                ++claimed;
                in.finish(name, TransferState::done);
            }
            answered.store(round, std::memory_order_release);
        }
    });
    OutgoingTransfers out(*direction);
    int withdrawn = 0;
    int finished = 0;
    for (int round = 1; round <= kRounds; ++round) {
        const TransferName name = *out.publish();
        REQUIRE(name.slot == 0);
        offered.store(static_cast<std::uint64_t>(round) << 32 | name.generation,
                      std::memory_order_release);
        for (int i = 0; i < round % 64; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
        if (out.withdraw(name)) {
            ++withdrawn;
        } else {
            while (out.look(name) != TransferState::done) {
            }
            out.release(name);
            ++finished;
        }
        while (answered.load(std::memory_order_acquire) != round) {
        }
    }
    receiver.join();
    CHECK_EQ(withdrawn + finished, kRounds);
    CHECK_EQ(claimed, finished);
    std::printf("  %d withdrawn, %d claimed\n", withdrawn, claimed);
}
