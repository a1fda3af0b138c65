// Writes numbered lines into several files at a rate, and does to the files what rotations do: rename, copy and truncate, delete and make anew.
//
// usage: writer FOLDER FILES BYTES_A_SECOND SECONDS ROTATE_BYTES SEED
//
// A line is the number of its content (8 hex digits; a new one whenever a file begins anew), its number in it, and padding. Nothing is written between a copy and the
// truncation behind it, so every line can be read by who finds the copy. A file is deleted while it is written only while FOLDER/../may-delete exists; of those that were
// renamed or copied KEPT stay. At the end a line for each content on stdout: its number, how many lines it
// has, and whether its file was then renamed (r), copied (c), deleted (d) or none of it (-).
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 240, CHUNK_LINES = 256, FILES_MAX = 64, KEPT = 8, CONTENTS_MAX = 1 << 20 };

static struct {
    char path[512];
    int file;
    uint32_t content;
    uint64_t bytes, limit;
    unsigned rotated;
} files[FILES_MAX];
static uint32_t contents;
static uint64_t counts[CONTENTS_MAX];
static uint64_t state;
static char fates[CONTENTS_MAX];  // what was done to the file at the content's end
static unsigned renamed, copied, deleted;

static uint64_t any(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void check(int is_good, const char *what) {
    if (!is_good) perror(what), exit(1);
}

static void begin(int index, uint64_t rotate) {
    files[index].content = contents++;
    check(contents < CONTENTS_MAX, "too many contents");
    files[index].bytes = 0;
    files[index].limit = rotate / 2 + any() % rotate;
}

static void make(int index) {
    files[index].file = open(files[index].path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    check(files[index].file >= 0, "open");
}

static void copy(int from_index, const char *to) {
    char temporary[600];
    snprintf(temporary, sizeof temporary, "%s", to);
    int from = open(files[from_index].path, O_RDONLY | O_CLOEXEC), into = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    check(from >= 0 && into >= 0, "open a copy");
    for (ssize_t count; (count = sendfile(into, from, NULL, 1 << 20)) != 0;) check(count > 0, "sendfile");
    close(from), close(into);
}

static void rotate(int index, uint64_t bytes, const char *may_delete) {
    char other[600];
    snprintf(other, sizeof other, "%s.%u", files[index].path, files[index].rotated);
    switch (any() % 3) {
    case 0:
        check(rename(files[index].path, other) == 0, "rename");
        close(files[index].file);
        make(index);
        files[index].rotated++, renamed++;
        fates[files[index].content] = 'r';
        break;
    case 1:
        copy(index, other);
        check(ftruncate(files[index].file, 0) == 0, "truncate");
        files[index].rotated++, copied++;
        fates[files[index].content] = 'c';
        break;
    default:
        if (access(may_delete, F_OK) != 0) return;
        check(unlink(files[index].path) == 0, "unlink");
        close(files[index].file);
        make(index);
        deleted++;
        fates[files[index].content] = 'd';
        break;
    }
    begin(index, bytes);
    if (files[index].rotated > KEPT) {
        snprintf(other, sizeof other, "%s.%u", files[index].path, files[index].rotated - 1 - KEPT);
        unlink(other);
    }
}

int main(int argc, char **argv) {
    if (argc != 7) return fprintf(stderr, "usage: writer FOLDER FILES BYTES_A_SECOND SECONDS ROTATE_BYTES SEED\n"), 2;
    int count = atoi(argv[2]);
    double rate = atof(argv[3]), seconds = atof(argv[4]);
    uint64_t rotate_bytes = strtoull(argv[5], 0, 10);
    state = strtoull(argv[6], 0, 10) * 0x9E3779B97F4A7C15 | 1;
    if (count < 1 || count > FILES_MAX) return 2;
    char may_delete[600];
    snprintf(may_delete, sizeof may_delete, "%s/../may-delete", argv[1]);
    for (int index = 0; index < count; index++) {
        snprintf(files[index].path, sizeof files[index].path, "%s/f%02d.log", argv[1], index);
        make(index);
        begin(index, rotate_bytes);
    }
    static char text[CHUNK_LINES * LINE];
    memset(text, 'x', sizeof text);
    double start = now();
    uint64_t written = 0;
    for (int index = 0;; index = (index + 1) % count) {
        double passed = now() - start;
        if (passed >= seconds) break;
        if (written > passed * rate) {
            usleep(500);
            continue;
        }
        for (int line = 0; line < CHUNK_LINES; line++) {
            char number[32];
            snprintf(number, sizeof number, "%08x %010llu ", files[index].content, (unsigned long long)counts[files[index].content]++);
            memcpy(text + line * LINE, number, 20);
            text[line * LINE + LINE - 1] = '\n';
        }
        check(write(files[index].file, text, sizeof text) == sizeof text, "write");
        written += sizeof text, files[index].bytes += sizeof text;
        if (files[index].bytes >= files[index].limit) rotate(index, rotate_bytes, may_delete);
    }
    fprintf(stderr, "{\"bytes\":%llu,\"seconds\":%.1f,\"renamed\":%u,\"copied\":%u,\"deleted\":%u}\n", (unsigned long long)written, now() - start, renamed, copied, deleted);
    for (uint32_t content = 0; content < contents; content++) printf("%u %llu %c\n", content, (unsigned long long)counts[content], fates[content] ? fates[content] : '-');
}
