// Asks for what the machine has: clocks, random bytes, environment, arguments.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(clockid_t clock) {
    struct timespec time;
    return clock_gettime(clock, &time) == 0 ? time.tv_sec * 1000000000ll + time.tv_nsec : -1;
}

int main(int count, char **arguments) {
    for (int i = 0; i < count; i++) printf("argument %s\n", arguments[i]);
    for (char **variable = environ; *variable; variable++) {
        if (!strncmp(*variable, "WASI_TEST", 9)) printf("variable %s\n", *variable);
    }
    long long before = now(CLOCK_MONOTONIC);
    struct timespec pause = {0, 30000000};
    nanosleep(&pause, NULL);
    printf("slept %d\n", now(CLOCK_MONOTONIC) - before >= 30000000);
    printf("time %lld\n", now(CLOCK_REALTIME) / 1000000000);
    unsigned char a[256] = {0}, b[256] = {0};
    int zeros = 0;
    printf("random %d %d", getentropy(a, sizeof a), getentropy(b, sizeof b));
    for (int i = 0; i < 256; i++) zeros += a[i] == 0;
    printf(" %d %d\n", memcmp(a, b, sizeof a) != 0, zeros < 20);
    printf("terminal %d\n", isatty(1));
    return count > 1 ? atoi(arguments[1]) : 0;
}
