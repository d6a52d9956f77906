#include "core/reduction/isa.h"

#include <algorithm>

#include "test/harness.h"

namespace onecopy::test {
namespace {

const std::vector<Isa> kAll = {Isa::baseline, Isa::avx2, Isa::avx512};

TEST("isa: the best unless one is asked for") {
    CHECK(chooseIsa(nullptr, kAll).isa == Isa::avx512);
    CHECK(chooseIsa("", kAll).isa == Isa::avx512);
    CHECK(chooseIsa(nullptr, {Isa::baseline}).isa == Isa::baseline);
    for (const Isa isa : kAll) {
        const IsaChoice choice = chooseIsa(nameOf(isa), kAll);
        CHECK(choice.isa == isa);
        CHECK_EQ(choice.error, "");
    }
}

TEST("isa: one that is unknown or not supported is refused, naming those that are") {
    const std::vector<Isa> some = {Isa::baseline, Isa::avx2};
    CHECK_EQ(chooseIsa("avx512", some).error,
             "ONECOPY_ISA is \"avx512\", which this machine does not support; set it to one that "
             "this machine supports (baseline, avx2), or unset it for the best of them");
    for (const char* name : {"AVX2", "avx2 ", "avx", "sse2", "1"}) {
        const IsaChoice choice = chooseIsa(name, some);
        CHECK(choice.isa == Isa::baseline);
        CHECK(choice.error.find("is not the name of an instruction set") != std::string::npos);
        CHECK(choice.error.find("(baseline, avx2)") != std::string::npos);
    }
    CHECK(chooseIsa(std::string(100'000, 'x').c_str(), some).error.size() < 300);
}

TEST("isa: baseline is always there, and the choice stays") {
    const std::vector<Isa> supported = supportedIsas();
    REQUIRE(!supported.empty());
    CHECK(supported.front() == Isa::baseline);
    CHECK(std::is_sorted(supported.begin(), supported.end()));
    CHECK(&chosenIsa() == &chosenIsa());
}

}  // namespace
}  // namespace onecopy::test
