// A small test harness. Each test runs in a process of its own, so that a crash, a leaked
// descriptor or a hang is the failure of that test alone.
//
//     TEST("a ring keeps its order") {
//         CHECK(ring.empty());
//         CHECK_EQ(ring.size(), 3u);
//     }
//
// A failing check is printed and the test goes on; REQUIRE ends the test, and SKIP leaves it out,
// saying why. A test may start the test program itself as a rank:
//
//     RANK_PROGRAM("say hello") { return args.size() == 1 ? 0 : 1; }
//     … exec test::selfPath() with {"--rank-program", "say hello", "an argument"}
#pragma once

#include <cstdio>
#include <functional>
#include <source_location>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace onecopy::test {

using Arguments = std::vector<std::string>;

struct Registration {
    Registration(const char* name, const char* file, int line, void (*body)());
    Registration(const char* name, int (*program)(const Arguments&));
};

// The test program's own file, for starting it as a rank.
std::string selfPath();

// Records a failed check of this process; safe from any thread.
void fail(const std::string& what, std::source_location where = std::source_location::current());

// Checks that have failed in this process.
int failures();

// Thrown by REQUIRE, after the failure was recorded.
struct Abandoned {};

// Thrown by SKIP.
struct Skipped {
    std::string reason;
};

// Runs `body` in a child of this process and returns how it ended: its exit code (1 if a check
// failed in it), or 128 + the signal that killed it. The child leaves by _exit: no destructor of
// the parent's objects runs in it.
int runInChild(const std::function<void()>& body);

template <typename T>
std::string show(const T& value) {
    std::ostringstream out;
    if constexpr (std::is_enum_v<T>) {
        out << static_cast<long long>(value);
    } else if constexpr (requires { out << value; }) {
        out << std::boolalpha << value;
    } else {
        out << "(no printable form)";
    }
    return out.str();
}

template <typename A, typename B>
bool equal(const A& a, const B& b) {
    // Signed against unsigned compares by value, as a reader of the test expects.
    if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && !std::is_same_v<A, bool> &&
                  !std::is_same_v<B, bool>) {
        return std::cmp_equal(+a, +b);
    } else {
        return a == b;
    }
}

template <typename A, typename B>
bool checkEqual(const A& a, const B& b, const char* text,
                std::source_location where = std::source_location::current()) {
    if (equal(a, b)) return true;
    fail(std::string(text) + ": " + show(a) + " != " + show(b), where);
    return false;
}

inline bool check(bool condition, const char* text,
                  std::source_location where = std::source_location::current()) {
    if (!condition) fail(text, where);
    return condition;
}

}  // namespace onecopy::test

#define ONECOPY_JOIN_(a, b) a##b
#define ONECOPY_JOIN(a, b) ONECOPY_JOIN_(a, b)

#define TEST(name)                                                                    \
    static void ONECOPY_JOIN(test_, __LINE__)();                                      \
    static const ::onecopy::test::Registration ONECOPY_JOIN(registration_, __LINE__)( \
        name, __FILE__, __LINE__, &ONECOPY_JOIN(test_, __LINE__));                    \
    static void ONECOPY_JOIN(test_, __LINE__)()

#define RANK_PROGRAM(name)                                                               \
    static int ONECOPY_JOIN(program_, __LINE__)(const ::onecopy::test::Arguments& args); \
    static const ::onecopy::test::Registration ONECOPY_JOIN(registration_, __LINE__)(    \
        name, &ONECOPY_JOIN(program_, __LINE__));                                        \
    static int ONECOPY_JOIN(program_,                                                    \
                            __LINE__)([[maybe_unused]] const ::onecopy::test::Arguments& args)

#define CHECK(...) ::onecopy::test::check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__)
#define CHECK_EQ(a, b) ::onecopy::test::checkEqual((a), (b), #a " == " #b)
#define REQUIRE(...) \
    (CHECK(__VA_ARGS__) ? static_cast<void>(0) : throw ::onecopy::test::Abandoned{})
#define SKIP(why) \
    throw ::onecopy::test::Skipped { why }
