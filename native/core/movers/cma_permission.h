// Whether the kernel lets this process read another one's memory, and if not, what it answers: the
// probe of cma.h tells the engine only that it must go another way, and a person wants to know why.
#pragma once

#include <sys/types.h>

namespace onecopy {

// What process_vm_readv answers when this process asks for memory of process `pid`: 0 where it
// would read, EPERM, ENOSYS, ESRCH. Nothing is read. Asked of its own pid, a process passes every
// check of ptrace's kind (Yama, dumpable, users, namespaces): what is refused even then is the call
// itself, by a seccomp filter or by a kernel that does not have it.
int cmaRefusal(pid_t pid);

}  // namespace onecopy
