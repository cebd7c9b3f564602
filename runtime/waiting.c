/* SPDX-License-Identifier: MIT */
/* See waiting.h. */
#include "runtime/waiting.h"

#include <stdlib.h>
#include <string.h>

/* In the order of strcmp(). */
static const char *const names[] = {
    "__poll_chk", "__ppoll_chk", "__pread64_chk", "__pread_chk", "__read_chk", "__recv_chk", "__recvfrom_chk",
    "accept", "accept4", "aio_suspend", "clock_nanosleep", "close", "cnd_timedwait", "cnd_wait", "connect",
    "epoll_pwait", "epoll_pwait2", "epoll_wait", "fcntl", "fcntl64", "fdatasync", "flock", "fsync", "getaddrinfo",
    "io_getevents", "ioctl", "lockf", "lockf64", "mq_receive", "mq_send", "mq_timedreceive", "mq_timedsend",
    "msgrcv", "msgsnd", "mtx_timedlock", "nanosleep", "open", "open64", "openat", "openat64", "pause", "poll",
    "ppoll", "pread", "pread64", "preadv", "pselect", "pthread_barrier_wait", "pthread_clockjoin_np",
    "pthread_cond_clockwait", "pthread_cond_timedwait", "pthread_cond_wait", "pthread_join",
    "pthread_mutex_clocklock", "pthread_mutex_timedlock", "pthread_rwlock_timedrdlock",
    "pthread_rwlock_timedwrlock", "pthread_timedjoin_np", "pwrite", "pwrite64", "pwritev", "read", "readv", "recv",
    "recvfrom", "recvmmsg", "recvmsg", "sched_yield", "select", "sem_clockwait", "sem_timedwait", "semop",
    "semtimedop", "send", "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto", "sigsuspend", "sigtimedwait",
    "sigwait", "sigwaitinfo", "sleep", "splice", "syscall", "system", "tcdrain", "thrd_join", "thrd_sleep",
    "usleep", "wait", "wait3", "wait4", "waitid", "waitpid", "write", "writev",
};

static int compare(const void *symbol, const void *name)
{
	return strcmp(symbol, *(const char *const *)name);
}

int rps_waiting_is(const char *symbol)
{
	return bsearch(symbol, names, sizeof(names) / sizeof(names[0]), sizeof(names[0]), compare) != NULL;
}
