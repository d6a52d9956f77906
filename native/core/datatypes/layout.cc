#include "core/datatypes/layout.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace onecopy {

namespace {

[[noreturn]] void refuse(const char* why) {
    throw std::invalid_argument(std::string("no layout: ") + why);
}

std::int64_t inRange(std::int64_t value) {
    if (value > kMostLayoutBytes || value < -kMostLayoutBytes) refuse("it is too large");
    return value;
}

std::int64_t product(std::int64_t one, std::int64_t other) {
    std::int64_t result = 0;
    if (__builtin_mul_overflow(one, other, &result)) refuse("it is too large");
    return inRange(result);
}

std::uint64_t saturatingProduct(std::uint64_t one, std::uint64_t other) {
    std::uint64_t result = 0;
    return __builtin_mul_overflow(one, other, &result) ? ~std::uint64_t{0} : result;
}

std::uint64_t saturatingSum(std::uint64_t one, std::uint64_t other) {
    std::uint64_t result = 0;
    return __builtin_add_overflow(one, other, &result) ? ~std::uint64_t{0} : result;
}

class Program {
   public:
    explicit Program(std::span<const double> numbers) : numbers_(numbers) {}

    bool atEnd() const { return next_ == numbers_.size(); }
    std::size_t left() const { return numbers_.size() - next_; }
    std::int64_t number() {
        if (atEnd()) refuse("it ends too early");
        const double value = numbers_[next_++];
        if (!(std::abs(value) <= static_cast<double>(kMostLayoutBytes)) ||
            std::trunc(value) != value)
            refuse("a number is not whole");
        return static_cast<std::int64_t>(value);
    }
    std::uint64_t count() {
        const std::int64_t value = number();
        if (value < 0) refuse("a count is negative");
        return static_cast<std::uint64_t>(value);
    }
    LayoutPiece child(const std::vector<LayoutPiece>& known) {
        const std::uint64_t index = count();
        if (index >= known.size()) refuse("a node is named before it is there");
        return known[index];
    }

   private:
    std::span<const double> numbers_;
    std::size_t next_ = 0;
};

// Of equal pieces at equal distances, that distance; 0 for any other list.
std::int64_t distanceOf(const std::vector<LayoutPiece>& pieces) {
    const LayoutPiece& first = pieces[0];
    const std::int64_t distance = pieces[1].offset - first.offset;
    for (std::size_t i = 1; i < pieces.size(); ++i) {
        if (pieces[i].bytes != first.bytes || pieces[i].node != first.node ||
            pieces[i].offset - pieces[i - 1].offset != distance)
            return 0;
    }
    return distance;
}

}  // namespace

LayoutPiece repeated(const LayoutPiece& piece, std::uint64_t count, std::int64_t stride,
                     LayoutNode& node, bool& used) {
    used = false;
    if (count == 0 || piece.bytes == 0) return {};
    if (count == 1) return piece;
    const std::int64_t times = static_cast<std::int64_t>(count);
    const std::int64_t bytes = product(static_cast<std::int64_t>(piece.bytes), times);
    LayoutPiece whole{piece.offset, static_cast<std::uint64_t>(bytes), nullptr};
    if (piece.node == nullptr && stride == static_cast<std::int64_t>(piece.bytes)) return whole;
    node = {};
    node.count = count;
    node.stride = stride;
    node.child = {0, piece.bytes, piece.node};
    if (piece.node != nullptr && piece.node->isLoop() &&
        stride == product(piece.node->stride, static_cast<std::int64_t>(piece.node->count))) {
        // The inner loop goes on where it ends.
        node.count = saturatingProduct(count, piece.node->count);
        node.stride = piece.node->stride;
        node.child = piece.node->child;
    }
    const std::int64_t reach = product(node.stride, static_cast<std::int64_t>(node.count) - 1);
    node.low = inRange(node.child.low() + std::min<std::int64_t>(reach, 0));
    node.high = inRange(node.child.high() + std::max<std::int64_t>(reach, 0));
    node.runs = saturatingProduct(node.count, node.child.runs());
    node.depth = node.child.depth() + 1;
    whole.node = &node;
    used = true;
    return whole;
}

LayoutPiece Layout::repeat(const LayoutPiece& piece, std::uint64_t count, std::int64_t stride) {
    LayoutNode& node = nodes_.emplace_back();
    bool used = false;
    const LayoutPiece result = repeated(piece, count, stride, node, used);
    if (!used) nodes_.pop_back();
    if (result.depth() > kMostLayoutDepth) refuse("its types are nested too deep");
    return result;
}

// One after the other in the message.
LayoutPiece Layout::gather(std::vector<LayoutPiece> pieces) {
    std::vector<LayoutPiece> joined;
    for (const LayoutPiece& piece : pieces) {
        if (piece.bytes == 0) continue;
        if (!joined.empty() && piece.node == nullptr && joined.back().node == nullptr &&
            joined.back().high() == piece.offset) {
            joined.back().bytes += piece.bytes;
        } else {
            joined.push_back(piece);
        }
    }
    pieces.clear();
    if (joined.empty()) return {};
    if (joined.size() == 1) return joined[0];
    if (const std::int64_t distance = distanceOf(joined); distance != 0)
        return repeat(joined[0], joined.size(), distance);
    LayoutNode& node = nodes_.emplace_back();
    node.low = joined[0].low();
    node.high = joined[0].high();
    std::uint64_t start = 0;
    node.entries.reserve(joined.size());
    for (const LayoutPiece& piece : joined) {
        node.entries.push_back({piece, start});
        start += piece.bytes;
        inRange(static_cast<std::int64_t>(start));
        node.low = std::min(node.low, inRange(piece.low()));
        node.high = std::max(node.high, inRange(piece.high()));
        node.runs = saturatingSum(node.runs, piece.runs());
        node.depth = std::max(node.depth, piece.depth() + 1);
    }
    if (node.depth > kMostLayoutDepth) refuse("its types are nested too deep");
    return {0, start, &node};
}

Layout::Layout(std::span<const double> program) {
    Program in(program);
    extent_ = in.number();
    std::vector<LayoutPiece> known;
    while (!in.atEnd()) {
        switch (in.number()) {
            case kRun:
                known.push_back({0, in.count(), nullptr});
                break;
            case kLoop: {
                const std::uint64_t count = in.count();
                const std::int64_t stride = in.number();
                known.push_back(repeat(in.child(known), count, stride));
                break;
            }
            case kList: {
                const std::uint64_t entries = in.count();
                if (entries > in.left() / 4) refuse("it ends too early");
                std::vector<LayoutPiece> pieces;
                pieces.reserve(entries);
                for (std::uint64_t i = 0; i < entries; ++i) {
                    const std::int64_t offset = in.number();
                    const std::uint64_t count = in.count();
                    const std::int64_t stride = in.number();
                    LayoutPiece piece = repeat(in.child(known), count, stride);
                    piece.offset = inRange(piece.offset + offset);
                    pieces.push_back(piece);
                }
                known.push_back(gather(std::move(pieces)));
                break;
            }
            default:
                refuse("it has a node of no kind");
        }
    }
    if (known.empty()) refuse("it has no node");
    item_ = known.back();
}

}  // namespace onecopy
