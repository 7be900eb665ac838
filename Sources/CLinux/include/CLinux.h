// Linux and GNU calls that Swift's Glibc module leaves out: their headers are not on its list, want _GNU_SOURCE (which
// cannot be defined here without contradicting that module), or the functions are variadic.
#pragma once
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/types.h>

int memfd_create(const char *name, unsigned int flags);
enum { semel_memfd_flags = 0x1 | 0x2 /* MFD_CLOEXEC, MFD_ALLOW_SEALING */ };

int pthread_setname_np(unsigned long thread, const char *name);

static inline int semel_set_child_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
}

/// All threads allocate from one heap.
static inline void semel_use_one_heap(void) {
    int mallopt(int, int);
    mallopt(-8 /* M_ARENA_MAX */, 1);
}

static inline int semel_seal(int descriptor) {
    int fcntl(int, int, ...);
    return fcntl(descriptor, 1033 /* F_ADD_SEALS */, 0xF /* SEAL, SHRINK, GROW, WRITE */);
}
enum { semel_set_pipe_size = 1031 /* F_SETPIPE_SZ */ };

int pipe2(int ends[2], int flags);
int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags);
enum { semel_rename_noreplace = 1 };
int syncfs(int descriptor);

/// Waits until a process has ended, or for so many milliseconds. Where the kernel has no descriptors of processes, or gives
/// none out, for a moment.
void semel_await_end(pid_t pid, int milliseconds);

/// Starts a program in a process group of its own, with these four descriptors as its 0 to 3 and no others, with every
/// signal at its default and none blocked. It is killed when the calling *thread* ends (PR_SET_PDEATHSIG), so that thread
/// has to live as long as the program is wanted.
///
/// Returns 0, or the errno of what failed, an exec included.
int semel_spawn(pid_t *pid, const char *path, char *const arguments[], char *const environment[],
                const int descriptors[4]);
