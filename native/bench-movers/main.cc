// How the bytes of a message get from one process into another on this machine, and how fast:
// every way there is, side by side. Prints a line of JSON for each point; `onecopy bench movers`
// makes a table of them.

#include <signal.h>
#include <sys/prctl.h>

#include <cstdio>
#include <exception>

#include "measurement.h"
#include "options.h"

int main(int argc, char** argv) {
    using namespace onecopy::bench;
    // Should the command that started this die before this line, nobody reads the output either,
    // and the first line ends this process.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGPIPE, SIG_DFL);
    try {
        const Options options = parseOptions(argc, argv);
        for (const Pattern pattern : options.patterns) {
            for (const Pages pages : options.pages) {
                if (!measure(options, pattern, pages)) return 1;
            }
        }
        return 0;
    } catch (const OptionError& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
