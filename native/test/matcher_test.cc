// Matching: order, wildcards, fairness, against a slow and obvious model.
#include "core/matching/matcher.h"

#include <list>
#include <random>

#include "test/harness.h"

using namespace onecopy;

namespace {

constexpr int kRanks = 4;

std::unique_ptr<UnexpectedMessage> message(int source, int tag, std::uint64_t id,
                                           std::uint32_t context = 0) {
    auto made = std::make_unique<UnexpectedMessage>();
    made->envelope = {.bytes = id, .source = source, .tag = tag, .context = context};
    return made;
}

Envelope envelope(int source, int tag, std::uint32_t context = 0) {
    return {.bytes = 0, .source = source, .tag = tag, .context = context};
}

void post(Matcher& matcher, Request& request, int source, int tag, std::uint32_t context = 0) {
    request.selector = {source, tag, context};
    matcher.post(request);
}

}  // namespace

TEST("matcher: the receive posted first takes the message, wildcard or not") {
    Matcher matcher(kRanks);
    Request wild, exact, later;
    post(matcher, wild, kAnySource, 5);
    post(matcher, exact, 2, 5);
    post(matcher, later, 2, kAnyTag);
    CHECK(matcher.findPosted(envelope(2, 5)) == &wild);
    CHECK(matcher.findPosted(envelope(2, 6)) == &later);
    CHECK(matcher.findPosted(envelope(1, 6)) == nullptr);
    Matcher::remove(wild);
    CHECK(matcher.findPosted(envelope(2, 5)) == &exact);
    Matcher::remove(exact);
    CHECK(matcher.findPosted(envelope(2, 5)) == &later);
}

TEST("matcher: contexts do not see each other") {
    Matcher matcher(kRanks);
    Request first, second;
    post(matcher, first, 1, 1, 0);
    post(matcher, second, 1, 1, 9);
    CHECK(matcher.findPosted(envelope(1, 1, 9)) == &second);
    CHECK(matcher.findPosted(envelope(1, 1, 8)) == nullptr);
    matcher.keep(message(1, 1, 0, 9));
    CHECK(matcher.findUnexpected({1, 1, 0}) == nullptr);
    CHECK(matcher.findUnexpected({kAnySource, kAnyTag, 9}) != nullptr);
}

TEST("matcher: any source serves the sources in turn") {
    Matcher matcher(kRanks);
    for (std::uint64_t i = 0; i < 100; ++i) {
        for (int source = 0; source < 3; ++source) matcher.keep(message(source, 0, i));
    }
    int served[kRanks] = {};
    for (int i = 0; i < 30; ++i) {
        UnexpectedMessage* found = matcher.findUnexpected({kAnySource, 0, 0});
        REQUIRE(found != nullptr);
        ++served[matcher.take(*found)->envelope.source];
    }
    CHECK_EQ(served[0], 10);
    CHECK_EQ(served[1], 10);
    CHECK_EQ(served[2], 10);
}

TEST("matcher: agrees with the obvious model over random arrivals and receives") {
    const unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    std::printf("  seed %u\n", seed);
    Matcher matcher(kRanks);
    struct Posted {
        std::unique_ptr<Request> request;
        Selector selector;
    };
    std::list<Posted> posted;
    struct Kept {
        int source, tag;
        std::uint64_t id;
    };
    std::list<Kept> kept;
    std::uint64_t next = 0;
    for (int step = 0; step < 50'000; ++step) {
        const int source = static_cast<int>(random() % kRanks);
        const int tag = static_cast<int>(random() % 3);
        if (random() % 2 == 0) {
            // A message arrives. The first posted receive that takes it, in posting order, must get
            // it.
            auto taker = posted.begin();
            while (taker != posted.end() &&
                   !((taker->selector.source == kAnySource || taker->selector.source == source) &&
                     taker->selector.takesTag(tag))) {
                ++taker;
            }
            Request* found = matcher.findPosted(envelope(source, tag));
            CHECK(found == (taker == posted.end() ? nullptr : taker->request.get()));
            if (found != nullptr) {
                Matcher::remove(*found);
                posted.erase(taker);
            } else {
                kept.push_back({source, tag, next});
                matcher.keep(message(source, tag, next++));
            }
        } else {
            const Selector selector{random() % 3 == 0 ? kAnySource : source,
                                    random() % 3 == 0 ? kAnyTag : tag, 0};
            UnexpectedMessage* found = matcher.findUnexpected(selector);
            const auto fits = [&](const Kept& k) {
                return (selector.source == kAnySource || selector.source == k.source) &&
                       selector.takesTag(k.tag);
            };
            const auto first = std::find_if(kept.begin(), kept.end(), fits);
            CHECK_EQ(found == nullptr, first == kept.end());
            if (found == nullptr) {
                auto request = std::make_unique<Request>();
                post(matcher, *request, selector.source, selector.tag);
                posted.push_back({std::move(request), selector});
            } else {
                // Of its source, it must be the first that fits.
                const auto owned = matcher.take(*found);
                const auto earliest = std::find_if(kept.begin(), kept.end(), [&](const Kept& k) {
                    return fits(k) && k.source == owned->envelope.source;
                });
                REQUIRE(earliest != kept.end());
                CHECK_EQ(earliest->id, owned->envelope.bytes);
                kept.erase(earliest);
            }
        }
    }
}
