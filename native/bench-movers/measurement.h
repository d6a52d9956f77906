// Measures all movers with one pattern on pages of one kind.
#pragma once

#include "options.h"

namespace onecopy::bench {

// Prints a line of JSON for each point. Returns whether all went well; what did not was said.
bool measure(const Options& options, Pattern pattern, Pages pages);

}  // namespace onecopy::bench
