// Reduction kernels: every operator, type and instruction set against a scalar reference, bit for
// bit. Sets that agree with the reference agree with each other.
#include "core/reduction/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "test/harness.h"

namespace onecopy::test {
namespace {

using Bytes = std::vector<unsigned char>;

// ------------------------------------------------------------------------------------ reference

template <typename T>
T referenceFloat(Operator op, T l, T r) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    const T nan =
        std::bit_cast<T>(static_cast<Bits>(sizeof(T) == 4 ? 0x7fc00000 : 0x7ff8000000000000));
    T result = nan;
    if (op == Operator::sum) result = l + r;
    if (op == Operator::prod) result = l * r;
    if (op == Operator::max || op == Operator::min) {
        const bool greater = op == Operator::max;
        if (std::isnan(l) || std::isnan(r)) return nan;
        if (l == r) {
            result = std::signbit(l) == greater ? r : l;
        } else {
            result = (l > r) == greater ? l : r;
        }
    }
    return std::isnan(result) ? nan : result;
}

template <typename T>
T referenceInteger(Operator op, bool clamped, T l, T r) {
    // Wide enough for every result before it wraps or saturates.
    const __int128 left = l;
    const __int128 right = r;
    const auto fit = [clamped](__int128 value) {
        return static_cast<T>(clamped && value > 255 ? 255 : value);
    };
    switch (op) {
        case Operator::sum:
            return fit(left + right);
        case Operator::prod:
            // Two numbers of 64 bits without sign overflow even this; the low half does not care.
            return fit(static_cast<__int128>(static_cast<unsigned __int128>(left) *
                                             static_cast<unsigned __int128>(right)));
        case Operator::max:
            return left > right ? l : r;
        case Operator::min:
            return left < right ? l : r;
        case Operator::land:
            return l != 0 && r != 0 ? 1 : 0;
        case Operator::lor:
            return l != 0 || r != 0 ? 1 : 0;
        case Operator::lxor:
            return (l != 0) != (r != 0) ? 1 : 0;
        case Operator::band:
            return fit(left & right);
        case Operator::bor:
            return fit(left | right);
        case Operator::bxor:
            return fit(left ^ right);
    }
    return 0;
}

// -------------------------------------------------------------------------------------- operands

template <typename T>
std::vector<T> specials() {
    std::vector<T> values;
    if constexpr (sizeof(T) == 1) {
        for (int value = 0; value < 256; ++value) values.push_back(static_cast<T>(value));
    } else if constexpr (std::is_integral_v<T>) {
        using Limits = std::numeric_limits<T>;
        values = {0, 1, 2, 3, static_cast<T>(-1), static_cast<T>(-2), Limits::min(), Limits::max()};
        values.push_back(static_cast<T>(Limits::min() + 1));
        values.push_back(static_cast<T>(Limits::max() - 1));
        // Halves of the bits alone, for what is done in halves.
        values.push_back(static_cast<T>(T{1} << (sizeof(T) * 4)));
        values.push_back(static_cast<T>((T{1} << (sizeof(T) * 4)) - 1));
        values.push_back(static_cast<T>((T{1} << (sizeof(T) * 4)) - 1) ^ static_cast<T>(-1));
    } else {
        using Limits = std::numeric_limits<T>;
        using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
        const Bits sign = Bits{1} << (sizeof(T) * 8 - 1);
        const Bits infinity = std::bit_cast<Bits>(Limits::infinity());
        const Bits quiet = Bits{1} << (Limits::digits - 2);
        const std::vector<T> numbers = {T(0),
                                        T(1),
                                        T(1.5),
                                        T(3),
                                        Limits::epsilon(),
                                        Limits::denorm_min(),
                                        Limits::min() - Limits::denorm_min(),
                                        Limits::min(),
                                        Limits::max()};
        std::vector<Bits> patterns;
        for (const T number : numbers) patterns.push_back(std::bit_cast<Bits>(number));
        for (const Bits payload : {Bits{0}, quiet, quiet | 5, Bits{1}, quiet - 1, quiet * 2 - 1}) {
            patterns.push_back(infinity | payload);
        }
        for (const Bits pattern : patterns) {
            values.push_back(std::bit_cast<T>(pattern));
            values.push_back(std::bit_cast<T>(pattern | sign));
        }
    }
    return values;
}

// Bytes rather than numbers: a signalling NaN must not pass through a register that quiets it.
template <typename T>
Bytes randomOperand(std::mt19937_64& random, std::size_t count) {
    static const std::vector<T> special = specials<T>();
    Bytes operand(count * sizeof(T));
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t bits = random();
        const void* from = random() % 2 == 0 ? static_cast<const void*>(&bits)
                                             : &special[random() % special.size()];
        std::memcpy(operand.data() + i * sizeof(T), from, sizeof(T));
    }
    return operand;
}

template <typename T>
Bytes reference(Operator op, Datatype type, const Bytes& left, const Bytes& right) {
    Bytes out(left.size());
    for (std::size_t at = 0; at < left.size(); at += sizeof(T)) {
        T l, r, result;
        std::memcpy(&l, left.data() + at, sizeof(T));
        std::memcpy(&r, right.data() + at, sizeof(T));
        if constexpr (std::is_floating_point_v<T>) {
            result = referenceFloat(op, l, r);
        } else {
            result = referenceInteger(op, type == Datatype::uint8Clamped, l, r);
        }
        std::memcpy(out.data() + at, &result, sizeof(T));
    }
    return out;
}

// ---------------------------------------------------------------------------------------- running

// An operand at an address of a given alignment, with bytes around it that nobody may touch.
class Guarded {
   public:
    Guarded(const Bytes& content, std::size_t misalignment)
        : begin_(kGuard + misalignment),
          size_(content.size()),
          memory_(kGuard + misalignment + content.size() + kGuard, kMark) {
        // memcpy may not be given the null pointer of an empty vector.
        if (size_ > 0) std::memcpy(data(), content.data(), size_);
    }

    unsigned char* data() { return memory_.data() + begin_; }
    bool holds(const Bytes& content) const {
        return std::equal(content.begin(), content.end(),
                          memory_.begin() + static_cast<std::ptrdiff_t>(begin_));
    }
    bool guardsIntact() const {
        for (std::size_t i = 0; i < memory_.size(); ++i) {
            const bool inside = i >= begin_ && i < begin_ + size_;
            if (!inside && memory_[i] != kMark) return false;
        }
        return true;
    }

   private:
    static constexpr std::size_t kGuard = 64;
    static constexpr unsigned char kMark = 0xa5;

    std::size_t begin_;
    std::size_t size_;
    Bytes memory_;
};

struct Case {
    Isa isa;
    const OperatorInfo* op;
    const DatatypeInfo* type;
    Kernel kernel;
};

enum class Place { apart, left, right };
constexpr Place kPlaces[] = {Place::apart, Place::left, Place::right};
constexpr const char* kPlaceNames[] = {"apart", "in place of left", "in place of right"};

struct Misalignment {
    std::size_t out, left, right;
};
constexpr Misalignment kMisalignments[] = {{0, 0, 0}, {1, 1, 1}, {3, 5, 7}};

void runCase(const Case& one, const Bytes& left, const Bytes& right, const Bytes& expected) {
    const std::size_t count = left.size() / one.type->bytes;
    for (const Misalignment& shift : kMisalignments) {
        for (const Place place : kPlaces) {
            Guarded out(Bytes(left.size()), shift.out);
            Guarded l(left, shift.left);
            Guarded r(right, shift.right);
            Guarded& target = place == Place::apart ? out : place == Place::left ? l : r;
            one.kernel(target.data(), l.data(), r.data(), count);
            const bool right_answer = target.holds(expected);
            const bool untouched = out.guardsIntact() && l.guardsIntact() && r.guardsIntact() &&
                                   (place == Place::left || l.holds(left)) &&
                                   (place == Place::right || r.holds(right));
            if (right_answer && untouched) continue;
            fail(std::string(one.op->name) + " of " + std::to_string(count) + " " + one.type->name +
                 ", " + nameOf(one.isa) + ", " + kPlaceNames[static_cast<int>(place)] +
                 ", shifted by " + std::to_string(shift.out) + ": " +
                 (right_answer ? "wrote where it must not" : "wrong result"));
        }
    }
}

template <typename T>
void runCounts(const Case& one, unsigned seed) {
    std::vector<std::size_t> counts = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 1000};
    for (std::size_t count = 31; count <= 65; ++count) counts.push_back(count);
    std::mt19937_64 random(seed);
    for (const std::size_t count : counts) {
        const Bytes left = randomOperand<T>(random, count);
        const Bytes right = randomOperand<T>(random, count);
        runCase(one, left, right, reference<T>(one.op->code, one.type->code, left, right));
    }
}

template <typename T>
void runPairs(const Case& one) {
    const std::vector<T> values = specials<T>();
    Bytes left, right;
    const auto append = [](Bytes& to, const T& value) {
        const auto* bytes = reinterpret_cast<const unsigned char*>(&value);
        to.insert(to.end(), bytes, bytes + sizeof(T));
    };
    for (const T& l : values) {
        for (const T& r : values) {
            append(left, l);
            append(right, r);
        }
    }
    runCase(one, left, right, reference<T>(one.op->code, one.type->code, left, right));
}

bool isFloat(Datatype type) { return type == Datatype::float32 || type == Datatype::float64; }

// Runs `run` with a kernel's case and, as its template argument, the kernel's type.
template <typename Run>
void dispatch(const Case& one, const Run& run) {
    switch (one.type->code) {
        case Datatype::byte:
        case Datatype::uint8Clamped:
            return run.template operator()<std::uint8_t>(one);
        case Datatype::int8:
            return run.template operator()<std::int8_t>(one);
        case Datatype::int16:
            return run.template operator()<std::int16_t>(one);
        case Datatype::uint16:
            return run.template operator()<std::uint16_t>(one);
        case Datatype::int32:
            return run.template operator()<std::int32_t>(one);
        case Datatype::uint32:
            return run.template operator()<std::uint32_t>(one);
        case Datatype::int64:
            return run.template operator()<std::int64_t>(one);
        case Datatype::uint64:
            return run.template operator()<std::uint64_t>(one);
        case Datatype::float32:
            return run.template operator()<float>(one);
        case Datatype::float64:
            return run.template operator()<double>(one);
        default:
            test::fail(std::string("a kernel for ") + one.type->name);
    }
}

template <typename Run>
void forEachKernel(const Run& run) {
    for (const Isa isa : supportedIsas()) {
        for (const OperatorInfo& op : kOperators) {
            for (const DatatypeInfo& type : kDatatypes) {
                const Kernel kernel = kernelFor(isa, op.code, type.code);
                if (kernel != nullptr) dispatch({isa, &op, &type, kernel}, run);
            }
        }
    }
}

TEST("kernels: any values, counts, alignments and places, on each instruction set") {
    const unsigned seed = std::random_device{}();
    std::printf("  seed %u, sets:", seed);
    for (const Isa isa : supportedIsas()) std::printf(" %s", nameOf(isa));
    std::printf("\n");
    forEachKernel([seed]<typename T>(const Case& one) { runCounts<T>(one, seed); });
}

TEST("kernels: every pair of special values, on each instruction set") {
    forEachKernel([]<typename T>(const Case& one) { runPairs<T>(one); });
}

TEST("kernels: a few results written out, against a reference that errs in the same way") {
    const auto apply = []<typename T>(Operator op, Datatype type, T l, T r) {
        T out;
        kernelFor(op, type)(&out, &l, &r, 1);
        return out;
    };
    CHECK_EQ(apply(Operator::sum, Datatype::int8, std::int8_t{127}, std::int8_t{1}), -128);
    CHECK_EQ(apply(Operator::sum, Datatype::byte, std::uint8_t{255}, std::uint8_t{2}), 1);
    CHECK_EQ(apply(Operator::sum, Datatype::uint8Clamped, std::uint8_t{255}, std::uint8_t{2}), 255);
    CHECK_EQ(apply(Operator::prod, Datatype::uint8Clamped, std::uint8_t{16}, std::uint8_t{16}),
             255);
    CHECK_EQ(apply(Operator::prod, Datatype::uint16, std::uint16_t{65535}, std::uint16_t{65535}),
             1);
    CHECK_EQ(apply(Operator::max, Datatype::int32, -1, 1), 1);
    CHECK_EQ(apply(Operator::max, Datatype::uint32, std::uint32_t(-1), 1u), std::uint32_t(-1));
    CHECK_EQ(apply(Operator::land, Datatype::int64, std::int64_t{2}, std::int64_t{4}), 1);
    CHECK_EQ(apply(Operator::lxor, Datatype::int64, std::int64_t{2}, std::int64_t{4}), 0);
    CHECK_EQ(apply(Operator::band, Datatype::int64, std::int64_t{6}, std::int64_t{12}), 4);

    const auto bits = [&apply](Operator op, double l, double r) {
        return std::bit_cast<std::uint64_t>(apply(op, Datatype::float64, l, r));
    };
    const double nan = std::bit_cast<double>(std::uint64_t{0xfff8000000000123});
    const double infinity = std::numeric_limits<double>::infinity();
    constexpr std::uint64_t kNan = 0x7ff8000000000000;
    CHECK_EQ(bits(Operator::sum, nan, 1), kNan);
    CHECK_EQ(bits(Operator::sum, infinity, -infinity), kNan);
    CHECK_EQ(bits(Operator::prod, 0, infinity), kNan);
    CHECK_EQ(bits(Operator::max, 1, nan), kNan);
    CHECK_EQ(bits(Operator::min, nan, -infinity), kNan);
    CHECK_EQ(bits(Operator::max, -0.0, 0.0), 0u);
    CHECK_EQ(bits(Operator::max, 0.0, -0.0), 0u);
    CHECK_EQ(bits(Operator::min, 0.0, -0.0), std::bit_cast<std::uint64_t>(-0.0));
    CHECK_EQ(bits(Operator::min, -0.0, 0.0), std::bit_cast<std::uint64_t>(-0.0));
}

TEST("kernels: integers have all operators, floating point only SUM, PROD, MAX and MIN") {
    for (const Isa isa : supportedIsas()) {
        for (const OperatorInfo& op : kOperators) {
            for (const DatatypeInfo& type : kDatatypes) {
                const bool number = type.code <= Datatype::float64;
                const bool defined = number && (!isFloat(type.code) || op.code <= Operator::min);
                CHECK_EQ(kernelFor(isa, op.code, type.code) != nullptr, defined);
            }
        }
    }
}

TEST("kernels: a code out of range has none") {
    CHECK(kernelFor(static_cast<Operator>(std::size(kOperators)), Datatype::byte) == nullptr);
    CHECK(kernelFor(static_cast<Operator>(255), Datatype::byte) == nullptr);
    CHECK(kernelFor(Operator::sum, static_cast<Datatype>(std::size(kDatatypes))) == nullptr);
    CHECK(kernelFor(Operator::sum, static_cast<Datatype>(255)) == nullptr);
}

}  // namespace
}  // namespace onecopy::test
