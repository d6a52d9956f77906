// Where the data of one item of a datatype lie (MPI-4.1 section 5.1), as a tree that is as small as
// it can be: what is regular is a loop, however often it goes round, and what touches is one run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace onecopy {

struct LayoutNode;

// A part of a layout: a run of bytes, or a node that says more. Offsets are in bytes from where the
// whole that it is a part of lies.
struct LayoutPiece {
    std::int64_t offset = 0;
    std::uint64_t bytes = 0;           // of data, without gaps
    const LayoutNode* node = nullptr;  // null: one run

    std::uint64_t runs() const;
    // Where its first byte lies, and where its last one ends.
    std::int64_t low() const;
    std::int64_t high() const;
    std::uint32_t depth() const;
};

// Of a list: the piece, and where its data begin among those of the list.
struct LayoutEntry {
    LayoutPiece piece;
    std::uint64_t start = 0;
};

struct LayoutNode {
    // A loop: `child`, at offset 0, again and again at a distance. A list, where `count` is 0.
    std::uint64_t count = 0;
    std::int64_t stride = 0;
    LayoutPiece child;
    std::vector<LayoutEntry> entries;

    std::uint64_t runs = 0;  // saturates
    std::int64_t low = 0;
    std::int64_t high = 0;
    std::uint32_t depth = 0;

    bool isLoop() const { return count > 0; }
};

inline std::uint64_t LayoutPiece::runs() const {
    return node != nullptr ? node->runs : bytes > 0 ? 1 : 0;
}
inline std::int64_t LayoutPiece::low() const {
    return node != nullptr ? offset + node->low : offset;
}
inline std::int64_t LayoutPiece::high() const {
    return node != nullptr ? offset + node->high : offset + static_cast<std::int64_t>(bytes);
}
inline std::uint32_t LayoutPiece::depth() const { return node != nullptr ? node->depth : 0; }

// All numbers stay below this, so that TypeScript can name each byte and sums do not overflow.
inline constexpr std::int64_t kMostLayoutBytes = std::int64_t{1} << 53;
// Nodes within nodes: walking them takes a frame of the stack for each.
inline constexpr std::uint32_t kMostLayoutDepth = 1024;

// `count` times the piece, each `stride` bytes after the one before. If that needs a node of its
// own, it is put into `node`, and used is true.
LayoutPiece repeated(const LayoutPiece& piece, std::uint64_t count, std::int64_t stride,
                     LayoutNode& node, bool& used);

class Layout {
   public:
    // Codes of the nodes of a program; native/src/layout.ts writes it. A program is the extent and
    // then nodes, of which a later one may name earlier ones, by number; the last is the layout:
    //   kRun bytes | kLoop count stride child | kList n and n times offset count stride child
    enum Code { kRun = 0, kLoop = 1, kList = 2 };

    // Throws std::invalid_argument for numbers that are no layout.
    explicit Layout(std::span<const double> program);
    Layout(const Layout&) = delete;
    Layout& operator=(const Layout&) = delete;

    const LayoutPiece& item() const { return item_; }
    // From one item to the next.
    std::int64_t extent() const { return extent_; }

   private:
    LayoutPiece repeat(const LayoutPiece& piece, std::uint64_t count, std::int64_t stride);
    LayoutPiece gather(std::vector<LayoutPiece> pieces);

    std::deque<LayoutNode> nodes_;  // which does not move its members
    LayoutPiece item_;
    std::int64_t extent_ = 0;
};

}  // namespace onecopy
