// The predefined reduction operators, MPI-4.1 section 6.9.2.
#pragma once

#include <cstdint>

namespace onecopy {

// packages/engine has the same table, a test compares them.
enum class Operator : std::uint8_t { sum = 0, prod, max, min, land, lor, lxor, band, bor, bxor };

struct OperatorInfo {
    const char* name;
    Operator code;
};

inline constexpr OperatorInfo kOperators[] = {{"SUM", Operator::sum},   {"PROD", Operator::prod},
                                              {"MAX", Operator::max},   {"MIN", Operator::min},
                                              {"LAND", Operator::land}, {"LOR", Operator::lor},
                                              {"LXOR", Operator::lxor}, {"BAND", Operator::band},
                                              {"BOR", Operator::bor},   {"BXOR", Operator::bxor}};

}  // namespace onecopy
