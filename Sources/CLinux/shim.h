// Linux and GNU calls that Swift's Glibc module leaves out: their headers are not on its list, want _GNU_SOURCE (which
// cannot be defined here without contradicting that module), or the functions are variadic.
#pragma once
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>

int memfd_create(const char *name, unsigned int flags);
enum { semel_memfd_flags = 0x1 | 0x2 /* MFD_CLOEXEC, MFD_ALLOW_SEALING */ };

// glibc 2.34; the first argument is a posix_spawn_file_actions_t *.
int posix_spawn_file_actions_addclosefrom_np(void *actions, int from);

int pthread_setname_np(unsigned long thread, const char *name);

static inline int semel_set_child_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
}

int fcntl(int descriptor, int command, ...);
static inline int semel_seal(int descriptor) {
    return fcntl(descriptor, 1033 /* F_ADD_SEALS */, 0xF /* SEAL, SHRINK, GROW, WRITE */);
}
enum { semel_set_pipe_size = 1031 /* F_SETPIPE_SZ */ };

int pipe2(int ends[2], int flags);
int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags);
enum { semel_rename_noreplace = 1 };
int syncfs(int descriptor);
