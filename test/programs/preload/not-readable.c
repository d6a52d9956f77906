/* Preloaded into a rank: makes its memory unreadable for other processes of the same user. */
#include <sys/prctl.h>

__attribute__((constructor)) static void forbid(void) { prctl(PR_SET_DUMPABLE, 0); }
