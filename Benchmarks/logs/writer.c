// Writes numbered lines to files and rotates them at random: by rename, by copy and truncate, by deletion.
//
// usage: writer FOLDER FILES MEGABYTES_PER_SECOND SECONDS SEED COPIES
//
// COPIES 0: no rotation by copy and truncate. Line n of file f is "T<f> <n> …" of about 250 bytes, in FOLDER/f<f>.log or what it was renamed or copied to (f<f>.log.<time>). What nobody has read cannot be
// deleted without loss, so before that it prints "ask f n" (n: lines so far) and goes on with the other files until "go f" comes on stdin. Nothing is written
// between a copy and its truncation, which is the one thing a real rotation by copy cannot do. At the end "done f n" for each file, then "end".
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MAX = 64, LINE = 250, OLD_MAX = 4 };
struct file { int fd; uint64_t lines; int asked; char old[OLD_MAX][300]; int olds; };
static struct file files[FILES_MAX];
static const char *folder;
static uint64_t serial, renames, copies, deletions;
static int has_copies;

static uint64_t state;
static uint64_t chance(uint64_t below) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return state % below; }
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static void path(int f, char *to) { sprintf(to, "%s/f%d.log", folder, f); }

static void begin(int f) {
    char name[300];
    path(f, name);
    files[f].fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (files[f].fd < 0) { perror(name); exit(1); }
}

static void fill(int f, size_t bytes) {
    static char text[4 << 20];
    size_t used = 0;
    if (bytes > sizeof text - 2 * LINE) bytes = sizeof text - 2 * LINE;
    while (used < bytes) {
        size_t length = 200 + chance(100), head = sprintf(text + used, "T%d %010lu ", f, files[f].lines++);
        for (size_t i = head; i + 1 < length; i++) text[used + i] = 'a' + (char)((serial + i) % 26);
        serial++;
        text[used + length - 1] = '\n';
        used += length;
    }
    // Cut anywhere, so that lines are seen half written.
    size_t half = chance(used);
    if (write(files[f].fd, text, half) != (ssize_t)half || write(files[f].fd, text + half, used - half) != (ssize_t)(used - half)) { perror("write"); exit(1); }
}

static void keep_old(int f, const char *name) {
    if (files[f].olds < OLD_MAX) strcpy(files[f].old[files[f].olds++], name);
}

static void rotate(int f) {
    char from[300], to[340];
    path(f, from);
    sprintf(to, "%s.%lu", from, ++serial);
    if (chance(2) || !has_copies) {
        if (rename(from, to)) { perror(to); exit(1); }
        close(files[f].fd);
        begin(f);
        renames++;
    } else {
        int source = open(from, O_RDONLY), target = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        struct stat status;
        fstat(source, &status);
        for (off_t left = status.st_size; left > 0;) {
            ssize_t count = sendfile(target, source, NULL, left);
            if (count <= 0) { perror("copy"); exit(1); }
            left -= count;
        }
        close(source);
        close(target);
        if (ftruncate(files[f].fd, 0)) { perror("truncate"); exit(1); }
        copies++;
    }
    keep_old(f, to);
}

// All that there is of the file has been read: its old ones go, and sometimes the file itself, to be made anew.
static void delete(int f) {
    char name[300];
    for (int i = 0; i < files[f].olds; i++) unlink(files[f].old[i]);
    files[f].olds = 0;
    if (chance(2)) {
        path(f, name);
        close(files[f].fd);
        unlink(name);
        begin(f);
    }
    deletions++;
}

int main(int count, char **words) {
    if (count != 7) { fputs("usage: writer FOLDER FILES MEGABYTES_PER_SECOND SECONDS SEED COPIES\n", stderr); return 2; }
    folder = words[1];
    int number = atoi(words[2]);
    double rate = atof(words[3]) * 1e6, seconds = atof(words[4]), began = now(), written = 0;
    has_copies = atoi(words[6]);
    state = strtoull(words[5], NULL, 10) * 2654435761u + 88172645463325252ull;
    for (int f = 0; f < number; f++) begin(f);
    setlinebuf(stdout);
    for (double at; (at = now() - began) < seconds;) {
        struct pollfd input = {STDIN_FILENO, POLLIN, 0};
        while (poll(&input, 1, 0) > 0 && input.revents & POLLIN) {
            char line[64];
            int f;
            // Byte by byte: what stdio would read ahead, poll would not see.
            size_t got = 0;
            while (got < sizeof line - 1 && read(STDIN_FILENO, line + got, 1) == 1 && line[got] != '\n') got++;
            line[got] = 0;
            if (sscanf(line, "go %d", &f) != 1) return 1;
            delete(f);
            files[f].asked = 0;
        }
        int f = chance(number);
        if (files[f].asked) { usleep(200); continue; }
        if (written > at * rate) { usleep(500); continue; }
        size_t piece = 1 + chance(400000);
        fill(f, piece);
        written += piece;
        switch (chance(40)) {
        case 0: case 1: if (files[f].olds < OLD_MAX) { rotate(f); break; }  // fall through
        case 2: files[f].asked = 1; printf("ask %d %lu\n", f, files[f].lines);
        }
    }
    for (int f = 0; f < number; f++) printf("done %d %lu\n", f, files[f].lines);
    printf("end %lu %lu %lu %.0f\n", renames, copies, deletions, written);
    return 0;
}
