// Instruction sets that the reduction kernels are compiled for, and which of them this process
// uses.
#pragma once

#include <string>
#include <vector>

namespace onecopy {

// In ascending order. `baseline` is what the compiler emits unasked: SSE2 on x86-64, NEON on arm64.
enum class Isa { baseline = 0, avx2, avx512 };

const char* nameOf(Isa isa);

// What both the CPU and the operating system support, ascending; never empty.
std::vector<Isa> supportedIsas();

struct IsaChoice {
    Isa isa = Isa::baseline;
    std::string error;  // a sentence, where what was asked for cannot be had
};

// The best of `supported` (ascending), or the one that `forced` names; a null or empty `forced`
// asks for nothing.
IsaChoice chooseIsa(const char* forced, const std::vector<Isa>& supported);

// This process's choice, made at the first call: the best, or what ONECOPY_ISA names. Every set
// gives the same bits, so forcing one is for measurements and for ruling a set out.
const IsaChoice& chosenIsa();

}  // namespace onecopy
