// What combines two arrays in a reduction.
//
// The bits of a result depend neither on the instruction set nor on the order of the two operands:
// - integers wrap in SUM and PROD; UINT8_CLAMPED saturates there;
// - logical operators give 0 or 1 in the element's type;
// - MAX and MIN of floating-point numbers are JavaScript's Math.max and Math.min: NaN when either
//   operand is NaN, and +0 is greater than -0;
// - every NaN is the one canonical quiet NaN, whichever payloads went in;
// - denormals are kept.
#pragma once

#include <cstddef>

#include "core/matching/envelope.h"
#include "core/reduction/isa.h"
#include "core/reduction/operators.h"

namespace onecopy {

// out[i] = left[i] op right[i]. `out` may be exactly `left` or exactly `right` and overlaps them in
// no other way. The pointers may have any alignment: payloads in packets have none.
using Kernel = void (*)(void* out, const void* left, const void* right, std::size_t count);

// Null where the operator is not defined for the type, and for codes out of range. Integers have
// all operators; floating-point types have SUM, PROD, MAX and MIN (MPI-4.1 section 6.9.2).
Kernel kernelFor(Operator op, Datatype type);

// The same of a given set, which must be one of supportedIsas().
Kernel kernelFor(Isa isa, Operator op, Datatype type);

}  // namespace onecopy
