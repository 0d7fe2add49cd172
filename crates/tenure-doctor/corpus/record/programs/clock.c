/* Preloaded: the wall clock of a program is moved by the seconds that the file CLOCK holds; waiting is left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static double offset(void) {
    char text[64] = {0};
    const char *name = getenv("CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    return length > 0 ? atof(text) : 0;
}

static void now(struct timespec *at) {
    syscall(SYS_clock_gettime, CLOCK_REALTIME, at);
    double moved = offset();
    long long whole = (long long)moved;
    at->tv_nsec += (long)((moved - whole) * 1e9);
    at->tv_sec += whole;
    if (at->tv_nsec < 0) at->tv_nsec += 1000000000L, at->tv_sec--;
    if (at->tv_nsec >= 1000000000L) at->tv_nsec -= 1000000000L, at->tv_sec++;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return syscall(SYS_clock_gettime, clock, at);
    now(at);
    return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec found;
    (void)zone;
    now(&found);
    at->tv_sec = found.tv_sec;
    at->tv_usec = found.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec found;
    now(&found);
    if (at) *at = found.tv_sec;
    return found.tv_sec;
}
