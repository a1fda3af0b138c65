// Fails in the way its argument says.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) static int divide(volatile int by) { return 7 / by; }
__attribute__((noinline)) static void innermost(const char *how) {
    if (!strcmp(how, "unreachable")) __builtin_trap();
    if (!strcmp(how, "divide")) printf("%d\n", divide(0));
    if (!strcmp(how, "memory")) printf("%d\n", *(volatile int *)0xfffffff0u);
    if (!strcmp(how, "abort")) abort();
}
__attribute__((noinline)) static void middle(const char *how) {
    innermost(how);
    printf("still here\n");
}
// No sum and no product, so that no compiler makes a loop of it.
__attribute__((noinline)) static unsigned deep(unsigned depth) { return depth ? deep(depth - 1) * 3 + depth : 1; }

int main(int count, char **arguments) {
    const char *how = arguments[1];
    printf("before\n");
    fflush(stdout);
    if (!strcmp(how, "deep")) return printf("%u\n", deep(100000000)), 0;
    if (!strcmp(how, "shallow")) return printf("%s\n", deep(5000) ? "came back" : ""), 0;
    if (!strcmp(how, "grow")) {
        // Pages of 64 KiB until there are no more.
        while (__builtin_wasm_memory_grow(0, 16) != (unsigned long)-1) {}
        printf("%lu pages\n", (unsigned long)__builtin_wasm_memory_size(0));
        char *volatile bytes = malloc(1u << 30);
        printf("%s\n", bytes ? "more" : "no more");
        return 0;
    }
    if (!strcmp(how, "spin")) for (;;) {}
    middle(how);
    return 0;
}
