// Lists of T by source and tag, found in the same time however many there are.
//
// Members leave their list by themselves (Link::unlink), so it is not noticed when one becomes
// empty: empty lists stay until the table is rebuilt, which happens when there are as many lists as
// places for them. Each rebuild leaves at least half of the places free, so its cost is shared by
// as many lists that were made since.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/engine/list.h"

namespace onecopy {

template <typename T, typename Tag>
class KeyedLists {
   public:
    using Members = List<T, Tag>;

    // Null where there never was one, or it has been empty for long.
    Members* find(std::int32_t source, std::int32_t tag) const {
        if (lists_ == 0) return nullptr;
        Entry* entry = places_[placeOf(source, tag)].get();
        while (entry != nullptr && (entry->tag != tag || entry->source != source))
            entry = entry->next.get();
        return entry == nullptr ? nullptr : &entry->members;
    }

    // Looks at all lists.
    bool empty() const {
        bool any = false;
        forEach([&](std::int32_t, std::int32_t, const Members&) { any = true; });
        return !any;
    }

    T* first(std::int32_t source, std::int32_t tag) const {
        const Members* members = find(source, tag);
        return members == nullptr ? nullptr : members->first();
    }

    void append(std::int32_t source, std::int32_t tag, T& member) {
        Members* members = find(source, tag);
        if (members == nullptr) members = &add(source, tag);
        members->append(member);
    }

    // Calls `visit` for each list that has members, with source and tag.
    template <typename Visit>
    void forEach(Visit visit) const {
        for (const Owner& place : places_) {
            for (const Entry* entry = place.get(); entry != nullptr; entry = entry->next.get()) {
                if (!entry->members.empty()) visit(entry->source, entry->tag, entry->members);
            }
        }
    }

   private:
    struct Entry;
    using Owner = std::unique_ptr<Entry>;
    // Stays where it is: its members' links point at it.
    struct Entry {
        Entry(std::int32_t source, std::int32_t tag) : source(source), tag(tag) {}
        std::int32_t source;
        std::int32_t tag;
        Owner next;
        Members members;
    };

    static constexpr std::size_t kFewest = 16;
    // Empty entries kept for the next lists. Programs that never use a tag twice need them.
    static constexpr std::size_t kMostSpare = 64;

    std::size_t placeOf(std::int32_t source, std::int32_t tag) const {
        const std::uint64_t key = static_cast<std::uint64_t>(static_cast<std::uint32_t>(source))
                                      << 32 |
                                  static_cast<std::uint32_t>(tag);
        // Fibonacci hashing: the upper bits of the product depend on all of the key.
        return (key * 0x9e3779b97f4a7c15u) >> shift_;
    }

    Members& add(std::int32_t source, std::int32_t tag) {
        if (lists_ == places_.size()) rebuild();
        Owner entry;
        if (spare_.empty()) {
            entry = std::make_unique<Entry>(source, tag);
        } else {
            entry = std::move(spare_.back());
            spare_.pop_back();
            entry->source = source;
            entry->tag = tag;
        }
        Owner& place = places_[placeOf(source, tag)];
        entry->next = std::move(place);
        place = std::move(entry);
        ++lists_;
        return place->members;
    }

    void rebuild() {
        std::size_t used = 0;
        forEach([&](std::int32_t, std::int32_t, const Members&) { ++used; });
        // Whatever can fail comes before anything is moved.
        spare_.reserve(kMostSpare);
        std::vector<Owner> places(std::max(kFewest, std::bit_ceil(2 * used + 1)));
        places.swap(places_);
        shift_ = 64 - static_cast<unsigned>(std::countr_zero(places_.size()));
        lists_ = used;
        for (Owner& place : places) {
            while (Owner entry = std::move(place)) {
                place = std::move(entry->next);
                if (!entry->members.empty()) {
                    Owner& better = places_[placeOf(entry->source, entry->tag)];
                    entry->next = std::move(better);
                    better = std::move(entry);
                } else if (spare_.size() < kMostSpare) {
                    spare_.push_back(std::move(entry));
                }
            }
        }
    }

    std::vector<Owner> places_;  // a power of two of them
    std::size_t lists_ = 0;      // empty ones too
    unsigned shift_ = 0;
    std::vector<Owner> spare_;
};

}  // namespace onecopy
