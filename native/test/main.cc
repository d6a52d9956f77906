// core_tests [--list] [--timeout seconds] [--in-process] [part of a name …]
// core_tests --rank-program name [argument …]
//
// --in-process runs the tests in this process and without a time limit, for a debugger.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <string_view>

#include "test/harness.h"

namespace onecopy::test {

namespace {

constexpr int kSkippedCode = 77;

// Far beyond what any test needs, also with a sanitizer on a busy machine.
constexpr unsigned kDefaultSeconds = 60;

struct Test {
    std::string name;
    std::string file;
    int line;
    void (*body)();
};

std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

std::map<std::string, int (*)(const Arguments&), std::less<>>& programs() {
    static std::map<std::string, int (*)(const Arguments&), std::less<>> all;
    return all;
}

std::atomic<int> failed{0};

// The exit code of a test's process; its output says the rest.
int runBody(const Test& test) {
    failed = 0;
    try {
        test.body();
    } catch (const Abandoned&) {
    } catch (const Skipped& skipped) {
        std::printf("skipped  %s: %s\n", test.name.c_str(), skipped.reason.c_str());
        if (failures() == 0) return kSkippedCode;
    } catch (const std::exception& error) {
        fail(std::string("unexpected exception: ") + error.what());
    }
    return failures() == 0 ? 0 : 1;
}

volatile sig_atomic_t hungChild = 0;

void onTimeLimit(int) { hungChild = 1; }

// Runs the test in a child that leads a process group, so that a hung test takes what it started
// with it.
int runInProcessGroup(const Test& test, unsigned seconds) {
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) {
        std::perror("fork");
        return 1;
    }
    if (child == 0) {
        ::setpgid(0, 0);
        // What runs in the background of a script is born with SIGINT ignored.
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        // Not _exit: the leak check of AddressSanitizer runs at exit.
        std::exit(runBody(test));
    }
    ::setpgid(child, child);
    hungChild = 0;
    struct sigaction limit {};
    limit.sa_handler = onTimeLimit;  // without SA_RESTART: waitpid comes back
    ::sigaction(SIGALRM, &limit, nullptr);
    ::alarm(seconds);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (hungChild == 0) continue;
        std::printf("HUNG     %s (%s:%d): no end after %u s\n", test.name.c_str(),
                    test.file.c_str(), test.line, seconds);
        std::fflush(stdout);
        ::kill(-child, SIGKILL);
        ::waitpid(child, &status, 0);
        return 1;
    }
    ::alarm(0);
    // What a test leaves in its group would disturb the next one.
    ::kill(-child, SIGKILL);
    if (WIFSIGNALED(status)) {
        std::printf("CRASHED  %s (%s:%d): killed by signal %d\n", test.name.c_str(),
                    test.file.c_str(), test.line, WTERMSIG(status));
        return 1;
    }
    return WEXITSTATUS(status);
}

int runProgram(int argc, char** argv) {
    const auto found = argc > 2 ? programs().find(std::string_view(argv[2])) : programs().end();
    if (found == programs().end()) {
        std::fprintf(stderr, "no such rank program\n");
        return 99;
    }
    try {
        const int code = found->second(Arguments(argv + 3, argv + argc));
        return failures() == 0 ? code : 98;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rank program \"%s\": %s\n", argv[2], error.what());
    } catch (const Abandoned&) {
    }
    return 98;
}

struct Options {
    unsigned seconds = kDefaultSeconds;
    bool inProcess = false;
    bool list = false;
    std::vector<std::string> parts;

    bool wants(const Test& test) const {
        return parts.empty() || std::ranges::any_of(parts, [&](const std::string& part) {
                   return (test.file + ": " + test.name).find(part) != std::string::npos;
               });
    }
};

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--timeout" && i + 1 < argc) {
            options.seconds = static_cast<unsigned>(std::max(1, std::atoi(argv[++i])));
        } else if (argument == "--in-process") {
            options.inProcess = true;
        } else if (argument == "--list") {
            options.list = true;
        } else {
            options.parts.emplace_back(argument);
        }
    }
    return options;
}

int runTests(const Options& options) {
    // Static initialisation orders them by object file: sorted, the output is the same for every
    // linker.
    std::ranges::stable_sort(tests(), {},
                             [](const Test& test) { return std::pair(test.file, test.line); });
    int passed = 0;
    int broken = 0;
    int skipped = 0;
    for (const Test& test : tests()) {
        if (!options.wants(test)) continue;
        if (options.list) {
            std::printf("%s\n", test.name.c_str());
            continue;
        }
        const int code =
            options.inProcess ? runBody(test) : runInProcessGroup(test, options.seconds);
        if (code == 0) {
            ++passed;
        } else if (code == kSkippedCode) {
            ++skipped;
        } else {
            ++broken;
            std::printf("FAILED   %s\n", test.name.c_str());
        }
    }
    if (options.list) return 0;
    std::printf("%d passed, %d failed", passed, broken);
    if (skipped > 0) std::printf(", %d skipped", skipped);
    std::printf("\n");
    return broken == 0 && passed + skipped > 0 ? 0 : 1;
}

}  // namespace

Registration::Registration(const char* name, const char* file, int line, void (*body)()) {
    tests().push_back({name, file, line, body});
}

Registration::Registration(const char* name, int (*program)(const Arguments&)) {
    if (programs().emplace(name, program).second) return;
    std::fprintf(stderr, "two rank programs are called \"%s\"\n", name);
    std::abort();
}

std::string selfPath() {
    char path[4096];
    const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
    return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : std::string();
}

void fail(const std::string& what, std::source_location where) {
    failed.fetch_add(1, std::memory_order_relaxed);
    std::fprintf(stderr, "%s:%u: %s\n", where.file_name(), static_cast<unsigned>(where.line()),
                 what.c_str());
}

int failures() { return failed.load(std::memory_order_relaxed); }

int runInChild(const std::function<void()>& body) {
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        failed = 0;
        try {
            body();
        } catch (const Abandoned&) {
        } catch (const std::exception& error) {
            fail(std::string("unexpected exception: ") + error.what());
        }
        std::fflush(nullptr);
        ::_exit(failures() == 0 ? 0 : 1);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace onecopy::test

int main(int argc, char** argv) {
    using namespace onecopy::test;
    if (argc > 1 && std::strcmp(argv[1], "--rank-program") == 0) return runProgram(argc, argv);
    return runTests(parse(argc, argv));
}
