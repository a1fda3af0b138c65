// Sorts the lines of standard input; -r: backwards, -c: says how many there were.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static int backwards(const void *a, const void *b) { return -compare(a, b); }

int main(int count, char **arguments) {
    int is_backwards = 0, counts = 0;
    for (int i = 1; i < count; i++) {
        if (!strcmp(arguments[i], "-r")) is_backwards = 1;
        else if (!strcmp(arguments[i], "-c")) counts = 1;
        else return fprintf(stderr, "%s: what is %s?\n", arguments[0], arguments[i]), 2;
    }
    char **lines = NULL, *line = NULL;
    size_t used = 0, room = 0, length = 0;
    while (getline(&line, &length, stdin) >= 0) {
        if (used == room) lines = realloc(lines, (room = room ? 2 * room : 64) * sizeof *lines);
        lines[used++] = strdup(line);
    }
    qsort(lines, used, sizeof *lines, is_backwards ? backwards : compare);
    for (size_t i = 0; i < used; i++) fputs(lines[i], stdout);
    if (counts) fprintf(stderr, "%zu lines\n", used);
    return 0;
}
