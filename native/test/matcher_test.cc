// Matching: order, wildcards, fairness, against a slow and obvious model.
#include "core/matching/matcher.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <random>
#include <set>

#include "test/harness.h"

using namespace onecopy;

namespace {

constexpr int kRanks = 4;

MatchedMessage message(int source, int tag, std::uint64_t id, std::uint32_t context = 0) {
    MatchedMessage made = UnexpectedMessage::eager(
        {.bytes = sizeof id, .source = source, .tag = tag, .context = context});
    std::memcpy(made->payload().data(), &id, sizeof id);
    return made;
}

std::uint64_t idOf(UnexpectedMessage& message) {
    std::uint64_t id = 0;
    std::memcpy(&id, message.payload().data(), sizeof id);
    return id;
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

TEST("matcher: a kept message is one allocation, of the form that it came in") {
    CHECK_EQ(message(0, 0, 7)->footprint(), 80u);
    CHECK_EQ(idOf(*message(0, 0, 7)), 7u);
    const Descriptor where{.transfer = {3, 4}, .address = 5, .parts = 6};
    const MatchedMessage large = UnexpectedMessage::of({.bytes = 1 << 20}, where);
    CHECK_EQ(large->descriptor().transfer.generation, 4u);
    CHECK_EQ(large->descriptor().parts, 6u);
    Request sender;
    CHECK(&UnexpectedMessage::local({}, sender)->sender() == &sender);
}

TEST("matcher: says whose the messages are that it keeps") {
    Matcher matcher(kRanks);
    CHECK_EQ(matcher.summary().messages, 0u);
    for (std::uint64_t i = 0; i < 10; ++i) matcher.keep(message(1, 5, i, 2));
    for (std::uint64_t i = 0; i < 20; ++i) matcher.keep(message(2, static_cast<int>(i), i));
    const Kept kept = matcher.summary();
    CHECK_EQ(kept.messages, 30u);
    CHECK_EQ(kept.bytes, 30u * 80);
    CHECK_EQ(kept.source, 1);
    CHECK_EQ(kept.tag, 5);
    CHECK_EQ(kept.likeIt, 10u);
    while (UnexpectedMessage* next = matcher.findUnexpected({kAnySource, kAnyTag, 0}))
        matcher.take(*next);
    CHECK_EQ(matcher.kept(), 10u);
    CHECK_EQ(matcher.keptBytes(), 10u * 80);
}

// As many lists as would be walked for ever if each search looked at all of them.
TEST("matcher: many tags, each of them used once") {
    constexpr int kMany = 200'000;
    Matcher matcher(kRanks);
    const auto requests = std::make_unique<Request[]>(kMany);
    for (int i = 0; i < kMany; ++i) post(matcher, requests[static_cast<std::size_t>(i)], 1, i);
    for (int i = kMany - 1; i >= 0; --i) {
        Request* found = matcher.findPosted(envelope(1, i));
        REQUIRE(found == &requests[static_cast<std::size_t>(i)]);
        Matcher::remove(*found);
        CHECK(matcher.findPosted(envelope(1, i)) == nullptr);
        matcher.keep(message(1, i, static_cast<std::uint64_t>(i)));
    }
    for (int i = 0; i < kMany; ++i) {
        UnexpectedMessage* found = matcher.findUnexpected({1, i, 0});
        REQUIRE(found != nullptr);
        CHECK_EQ(idOf(*matcher.take(*found)), i);
    }
    CHECK(matcher.findUnexpected({kAnySource, kAnyTag, 0}) == nullptr);
}

TEST("matcher: agrees with the obvious model over random arrivals, receives and withdrawals") {
    const unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    std::printf("  seed %u\n", seed);
    const auto below = [&](std::size_t n) { return static_cast<int>(random() % n); };
    Matcher matcher(kRanks);
    struct Posted {
        std::unique_ptr<Request> request;
        Selector selector;
    };
    struct Kept {
        Envelope envelope;
        std::uint64_t id;
        UnexpectedMessage* message;
    };
    std::list<Posted> posted;
    std::list<Kept> kept;
    std::uint64_t next = 0;
    int served = 0;  // in the one context of wildcards, see below
    const auto takes = [](const Selector& selector, const Envelope& envelope) {
        return selector.context == envelope.context &&
               (selector.source == kAnySource || selector.source == envelope.source) &&
               selector.takesTag(envelope.tag);
    };
    for (int step = 0; step < 100'000; ++step) {
        // Few tags for long queues, then many for many lists.
        const std::size_t tags = step % 20'000 < 10'000 ? 3 : 5'000;
        const Envelope arriving{.bytes = 8,
                                .source = below(kRanks),
                                .tag = below(tags),
                                .context = static_cast<std::uint32_t>(below(2))};
        switch (below(9)) {
            case 0:
            case 1:
            case 2:
            case 3: {
                const auto taker = std::find_if(posted.begin(), posted.end(), [&](const Posted& p) {
                    return takes(p.selector, arriving);
                });
                Request* found = matcher.findPosted(arriving);
                REQUIRE(found == (taker == posted.end() ? nullptr : taker->request.get()));
                if (found != nullptr) {
                    Matcher::remove(*found);
                    posted.erase(taker);
                    break;
                }
                MatchedMessage made =
                    message(arriving.source, arriving.tag, next, arriving.context);
                kept.push_back({arriving, next++, made.get()});
                matcher.keep(std::move(made));
                break;
            }
            case 4:
            case 5:
            case 6:
            case 7: {
                const Selector selector{below(3) == 0 ? kAnySource : arriving.source,
                                        below(3) == 0 ? kAnyTag : arriving.tag, arriving.context};
                UnexpectedMessage* found = matcher.findUnexpected(selector);
                // Of each source the first that fits, and of the sources the next in turn.
                const Kept* expected = nullptr;
                for (const Kept& k : kept) {
                    const auto turn = [&](const Kept& of) {
                        return (of.envelope.source - served + kRanks) % kRanks;
                    };
                    if (!takes(selector, k.envelope)) continue;
                    if (expected == nullptr || (selector.context == 0 && turn(k) < turn(*expected)))
                        expected = &k;
                }
                REQUIRE((found == nullptr) == (expected == nullptr));
                if (found == nullptr) {
                    auto request = std::make_unique<Request>();
                    post(matcher, *request, selector.source, selector.tag, selector.context);
                    posted.push_back({std::move(request), selector});
                    break;
                }
                // The turn is followed in one context only; in the other, any source's first is
                // right.
                const auto same = std::find_if(kept.begin(), kept.end(), [&](const Kept& k) {
                    return takes(selector, k.envelope) &&
                           k.envelope.source == found->envelope.source;
                });
                REQUIRE(same != kept.end() && same->message == found);
                if (selector.context == 0) {
                    CHECK(found == expected->message);
                    served = (found->envelope.source + 1) % kRanks;
                }
                CHECK_EQ(idOf(*matcher.take(*found)), same->id);
                kept.erase(same);
                break;
            }
            default: {
                // A receive is cancelled, a message taken back, from anywhere in the queues.
                if (!posted.empty()) {
                    const auto victim = std::next(posted.begin(), below(posted.size()));
                    Matcher::remove(*victim->request);
                    posted.erase(victim);
                }
                if (kept.empty()) break;
                const auto victim = std::next(kept.begin(), below(kept.size()));
                if (victim->envelope.context == 0) served = (victim->envelope.source + 1) % kRanks;
                matcher.take(*victim->message);
                kept.erase(victim);
            }
        }
        if (step % 1000 != 0) continue;
        std::set<const Request*> seen;
        matcher.forEachPosted([&](Request& receive) { seen.insert(&receive); });
        CHECK_EQ(seen.size(), posted.size());
        for (const Posted& p : posted) CHECK(seen.contains(p.request.get()));
        std::set<const UnexpectedMessage*> messages;
        matcher.forEachUnexpected([&](UnexpectedMessage& m) { messages.insert(&m); });
        CHECK_EQ(messages.size(), kept.size());
        CHECK_EQ(matcher.kept(), kept.size());
        CHECK_EQ(matcher.keptBytes(), kept.size() * 80);
    }
    matcher.forEachPosted([](Request& receive) { Matcher::remove(receive); });
    matcher.forEachPosted([](Request&) { test::fail("a receive stayed"); });
    matcher.forEachUnexpected([&](UnexpectedMessage& m) { matcher.take(m); });
    CHECK_EQ(matcher.kept(), 0u);
    CHECK_EQ(matcher.keptBytes(), 0u);
}
