// Whether a layout names a byte twice: what is received there would depend on the order in which
// its bytes come, so MPI forbids it (MPI-4.1 section 5.1.11).
#pragma once

#include <cstdint>

#include "core/datatypes/layout.h"

namespace onecopy {

// Loops and lists that lie beside or regularly within each other are told apart at once. Others are
// looked at run by run, up to so many; beyond that they are believed.
inline constexpr std::uint64_t kMostComparedRuns = 1u << 22;

bool overlaps(const LayoutPiece& piece);

}  // namespace onecopy
