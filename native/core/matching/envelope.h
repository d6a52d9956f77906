// What a message is matched by.
#pragma once

#include <cstdint>

namespace onecopy {

inline constexpr std::int32_t kAnySource = -1;
inline constexpr std::int32_t kAnyTag = -1;

// Messages of collective operations carry which one they belong to: ranks that have called
// different ones find out.
enum class MessageKind : std::uint8_t { buffer = 0, object = 1, collective = 0x40 };

constexpr MessageKind messageKindOf(std::uint8_t collective) {
    return static_cast<MessageKind>(static_cast<std::uint8_t>(MessageKind::collective) +
                                    collective);
}
constexpr bool isCollective(MessageKind kind) { return kind >= MessageKind::collective; }

// Element types; packages/engine has the same table, a test compares them. Bytes go with every
// type.
enum class Datatype : std::uint8_t {
    byte = 0,
    int8,
    uint8Clamped,
    int16,
    uint16,
    int32,
    uint32,
    int64,
    uint64,
    float32,
    float64,
    float16,
    bfloat16,
    complex64,
    complex128,
    // Structures of C, for MAXLOC and MINLOC (MPI-4.1 section 6.9.4).
    floatInt,
    doubleInt,
    longInt,
    twoInt,
    shortInt,
    // Elements of several types.
    mixed
};

struct DatatypeInfo {
    const char* name;
    Datatype code;
    std::uint32_t bytes;  // of one in memory, with the gaps of a structure
};

inline constexpr DatatypeInfo kDatatypes[] = {{"BYTE", Datatype::byte, 1},
                                              {"INT8_T", Datatype::int8, 1},
                                              {"UINT8_CLAMPED", Datatype::uint8Clamped, 1},
                                              {"INT16_T", Datatype::int16, 2},
                                              {"UINT16_T", Datatype::uint16, 2},
                                              {"INT32_T", Datatype::int32, 4},
                                              {"UINT32_T", Datatype::uint32, 4},
                                              {"INT64_T", Datatype::int64, 8},
                                              {"UINT64_T", Datatype::uint64, 8},
                                              {"FLOAT", Datatype::float32, 4},
                                              {"DOUBLE", Datatype::float64, 8},
                                              {"FLOAT16", Datatype::float16, 2},
                                              {"BFLOAT16", Datatype::bfloat16, 2},
                                              {"COMPLEX", Datatype::complex64, 8},
                                              {"DOUBLE_COMPLEX", Datatype::complex128, 16},
                                              {"FLOAT_INT", Datatype::floatInt, 8},
                                              {"DOUBLE_INT", Datatype::doubleInt, 16},
                                              {"LONG_INT", Datatype::longInt, 16},
                                              {"TWO_INT", Datatype::twoInt, 8},
                                              {"SHORT_INT", Datatype::shortInt, 8},
                                              {"MIXED", Datatype::mixed, 1}};

struct Envelope {
    std::uint64_t bytes = 0;
    std::int32_t source = 0;  // known from the channel it came by, never read from the packet
    std::int32_t tag = 0;
    std::uint32_t context = 0;
    MessageKind kind = MessageKind::buffer;
    Datatype type = Datatype::byte;
};

// What a receive or a probe asks for.
struct Selector {
    std::int32_t source = kAnySource;
    std::int32_t tag = kAnyTag;
    std::uint32_t context = 0;

    bool takesTag(std::int32_t candidate) const { return tag == kAnyTag || tag == candidate; }
};

}  // namespace onecopy
