#include "crew.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

namespace onecopy::bench {

namespace {

// Whether it is the first thread of its physical core. The file holds a list like "0,4" or "0-1".
bool isFirstThread(int core) {
    std::ifstream in("/sys/devices/system/cpu/cpu" + std::to_string(core) +
                     "/topology/thread_siblings_list");
    int first = 0;
    return !(in >> first) || first == core;
}

void pinTo(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(core), &set);
    // Where that is not allowed the scheduler chooses, as for everybody else.
    ::sched_setaffinity(0, sizeof set, &set);
}

// In the child. Never returns to the parent's code.
[[noreturn]] void live(Board& board, int self, pid_t parent, const std::vector<int>& cores,
                       const std::function<void(int)>& body) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have died before the line above: then nobody would ever send that signal.
    if (::getppid() != parent) ::_exit(1);
    // Where Yama protects processes from each other (ptrace_scope 1), the parent and what descends
    // from it may read this one. EINVAL where there is no Yama.
    ::prctl(PR_SET_PTRACER, static_cast<unsigned long>(parent), 0, 0, 0);
    if (!cores.empty()) pinTo(cores[static_cast<std::size_t>(self)]);
    int code = 1;
    try {
        body(self);
        code = 0;
    } catch (const Stopped&) {
    } catch (const std::exception& error) {
        // One sentence is enough: whoever fails first says it. Relaxed: it guards nothing else.
        if (!board.stopped.exchange(true, std::memory_order_relaxed)) {
            std::fprintf(stderr, "%s\n", error.what());
        }
    }
    std::fflush(nullptr);
    ::_exit(code);
}

}  // namespace

std::vector<int> coresFor(int processes) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return {};
    std::vector<int> cores;
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(static_cast<std::size_t>(core), &set)) cores.push_back(core);
    }
    if (cores.size() < static_cast<std::size_t>(processes)) return {};
    std::ranges::stable_partition(cores, isFirstThread);
    cores.resize(static_cast<std::size_t>(processes));
    return cores;
}

bool runCrew(Board& board, int processes, const std::vector<int>& cores,
             const std::function<void(int)>& body, const std::function<void(int)>& killed) {
    const pid_t parent = ::getpid();
    std::vector<pid_t> children;
    const auto endAll = [&] {
        board.stopped.store(true, std::memory_order_relaxed);
        for (const pid_t child : children) ::kill(child, SIGKILL);
    };
    // Nothing written so far may be written once more by a child.
    std::fflush(nullptr);
    bool well = true;
    for (int self = 0; self < processes; ++self) {
        const pid_t child = ::fork();
        if (child == 0) live(board, self, parent, cores, body);
        if (child < 0) {
            std::fprintf(stderr, "fork: %s\n", std::generic_category().message(errno).c_str());
            well = false;
            endAll();
            break;
        }
        children.push_back(child);
    }
    while (!children.empty()) {
        int status = 0;
        const pid_t child = ::waitpid(-1, &status, 0);
        if (child < 0) {
            if (errno == EINTR) continue;
            break;
        }
        std::erase(children, child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
        if (well && WIFSIGNALED(status)) killed(WTERMSIG(status));
        well = false;
        endAll();
    }
    return well;
}

}  // namespace onecopy::bench
