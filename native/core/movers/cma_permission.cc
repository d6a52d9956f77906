#include "core/movers/cma_permission.h"

#include <sys/uio.h>

#include <cerrno>

namespace onecopy {

int cmaRefusal(pid_t pid) {
    char byte = 0;
    const iovec here{&byte, 1};
    // No process has memory there; but the kernel looks at the permission first.
    const iovec nowhere{nullptr, 1};
    if (::process_vm_readv(pid, &here, 1, &nowhere, 1, 0) >= 0) return 0;
    return errno == EFAULT ? 0 : errno;
}

}  // namespace onecopy
