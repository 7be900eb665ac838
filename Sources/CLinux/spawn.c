// Written out because posix_spawn cannot ask for PR_SET_PDEATHSIG: without it a worker that is killed with SIGKILL leaves
// its task running while the message is already somebody else's.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { descriptor_count = 4 };

// Runs in the child, on its parent's memory: only what is async-signal-safe, and no write to anything but `failure`.
static void become(const char *path, char *const arguments[], char *const environment[], const int descriptors[],
                   pid_t parent, volatile int *failure) {
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) goto failed;
    if (getppid() != parent) _exit(127);

    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);

    // First out of the way, so that no source is overwritten before it was copied.
    int copies[descriptor_count];
    for (int target = 0; target < descriptor_count; target++) {
        copies[target] = fcntl(descriptors[target], F_DUPFD_CLOEXEC, descriptor_count);
        if (copies[target] < 0) goto failed;
    }
    for (int target = 0; target < descriptor_count; target++) {
        if (dup2(copies[target], target) < 0) goto failed;
    }
    closefrom(descriptor_count);

    sigset_t nothing;
    sigemptyset(&nothing);
    sigprocmask(SIG_SETMASK, &nothing, NULL);
    execve(path, arguments, environment);
failed:
    *failure = errno;
    _exit(127);
}

int semel_spawn(pid_t *pid, const char *path, char *const arguments[], char *const environment[],
                const int descriptors[descriptor_count]) {
    sigset_t everything, before;
    sigfillset(&everything);
    pthread_sigmask(SIG_SETMASK, &everything, &before);

    volatile int failure = 0;
    pid_t parent = getpid();
    pid_t child = vfork();
    if (child == 0) become(path, arguments, environment, descriptors, parent, &failure);
    int fork_failure = child < 0 ? errno : 0;

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (fork_failure) return fork_failure;
    if (failure) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        return failure;
    }
    *pid = child;
    return 0;
}

void semel_await_end(pid_t pid, int milliseconds) {
    const int moment = 5;
    struct pollfd process = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    // One below 0 is passed over.
    poll(&process, 1, process.fd < 0 && milliseconds > moment ? moment : milliseconds);
    if (process.fd >= 0) close(process.fd);
}
