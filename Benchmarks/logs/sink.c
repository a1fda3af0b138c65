// An OTLP/HTTP backend for lines "T<file> <number> …" in the bodies of log records: knows how often each came, and whether a file's came in order.
//
// usage: sink PORT FILES LINES        files 0 to FILES - 1, of each the lines 0 to LINES - 1
//
// Commands on stdin, each answered by a line: `ok` and `busy` (503, nothing taken; takes effect between two requests), `stats`, `last FILE` (lines 0 to this
// one are all there; -1: none), `check FILE COUNT` (of the lines 0 to COUNT - 1: missing, the first of them, repeated).
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, REQUEST_MAX = 64 << 20 };
struct connection { int fd; char *bytes; size_t count, room; };

static uint8_t *times;
static uint64_t files, lines, *next_line, *highest;
static uint64_t requests, records, distinct, repeated, disordered, strange;
static int is_busy;

static void note(const uint8_t *text, size_t count) {
    unsigned file;
    unsigned long long line;
    char start[40];
    size_t length = count < sizeof start - 1 ? count : sizeof start - 1;
    memcpy(start, text, length);
    start[length] = 0;
    if (sscanf(start, "T%u %llu ", &file, &line) != 2 || file >= files || line >= lines) { strange++; return; }
    uint8_t *seen = &times[file * lines + line];
    if (*seen) { repeated++; } else {
        distinct++;
        if (line < highest[file]) disordered++;
        highest[file] = line;
    }
    if (*seen < 255) ++*seen;
    while (next_line[file] < lines && times[file * lines + next_line[file]]) next_line[file]++;
}

static int varint(const uint8_t **at, const uint8_t *end, uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return 1;
    }
    return 0;
}

// ExportLogsServiceRequest.resource_logs (1), scope_logs (2), log_records (2), body (5), string_value (1).
static void walk(const uint8_t *at, const uint8_t *end, int depth) {
    static const unsigned path[] = {1, 2, 2, 5, 1};
    while (at < end) {
        uint64_t key, value;
        if (!varint(&at, end, &key)) { strange++; return; }
        switch (key & 7) {
        case 0: if (!varint(&at, end, &value)) { strange++; return; } continue;
        case 1: value = 8; break;
        case 5: value = 4; break;
        case 2: if (!varint(&at, end, &value)) { strange++; return; } break;
        default: strange++; return;
        }
        if (value > (uint64_t)(end - at)) { strange++; return; }
        if ((key & 7) == 2 && key >> 3 == path[depth]) {
            if (depth == 2) records++;
            if (depth < 4) walk(at, at + value, depth + 1); else note(at, value);
        }
        at += value;
    }
}

static size_t content_length(const char *head) {
    for (const char *line = strstr(head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n"))
        if (!strncasecmp(line + 2, "content-length:", 15)) return strtoull(line + 17, NULL, 10);
    return 0;
}

static int serve(struct connection *connection) {
    if (connection->room - connection->count < 65536) {
        connection->room = connection->room ? connection->room * 2 : 1 << 20;
        if (connection->room > 2 * (size_t)REQUEST_MAX) return 0;
        connection->bytes = realloc(connection->bytes, connection->room);
    }
    ssize_t got = recv(connection->fd, connection->bytes + connection->count, connection->room - connection->count - 1, 0);
    if (got <= 0) return 0;
    connection->count += got;
    while (1) {
        connection->bytes[connection->count] = 0;
        char *end = memmem(connection->bytes, connection->count, "\r\n\r\n", 4);
        if (!end) return 1;
        *end = 0;
        size_t head = end + 4 - connection->bytes, body = content_length(connection->bytes);
        *end = '\r';
        if (connection->count < head + body) return 1;
        requests++;
        if (!is_busy) walk((uint8_t *)connection->bytes + head, (uint8_t *)connection->bytes + head + body, 0);
        const char *answer = is_busy ? "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" : "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
        if (send(connection->fd, answer, strlen(answer), MSG_NOSIGNAL) < 0) return 0;
        memmove(connection->bytes, connection->bytes + head + body, connection->count - head - body);
        connection->count -= head + body;
    }
}

static void obey(const char *command) {
    unsigned long long file, count;
    if (!strcmp(command, "ok") || !strcmp(command, "busy")) {
        is_busy = command[0] == 'b';
        puts("done");
    } else if (sscanf(command, "last %llu", &file) == 1 && file < files) {
        printf("%lld\n", (long long)next_line[file] - 1);
    } else if (sscanf(command, "check %llu %llu", &file, &count) == 2 && file < files && count <= lines) {
        long long missing = 0, first = -1, again = 0;
        for (uint64_t line = 0; line < count; line++) {
            uint8_t seen = times[file * lines + line];
            if (!seen && missing++ == 0) first = line;
            if (seen > 1) again += seen - 1;
        }
        printf("{\"missing\":%lld,\"first\":%lld,\"repeated\":%lld}\n", missing, first, again);
    } else {
        printf("{\"requests\":%lu,\"records\":%lu,\"distinct\":%lu,\"repeated\":%lu,\"disordered\":%lu,\"strange\":%lu}\n", requests, records, distinct, repeated, disordered, strange);
    }
    fflush(stdout);
}

int main(int count, char **words) {
    if (count != 4) { fputs("usage: sink PORT FILES LINES\n", stderr); return 2; }
    files = strtoull(words[2], NULL, 10);
    lines = strtoull(words[3], NULL, 10);
    times = mmap(NULL, files * lines, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    next_line = calloc(files, sizeof *next_line);
    highest = calloc(files, sizeof *highest);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (times == MAP_FAILED || bind(listener, (void *)&place, sizeof place) || listen(listener, 64)) { perror("sink"); return 1; }
    puts("ready");
    fflush(stdout);
    struct connection connections[CONNECTIONS_MAX] = {0};
    struct pollfd polls[CONNECTIONS_MAX + 2];
    char command[256];
    while (1) {
        polls[0] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
        polls[1] = (struct pollfd){listener, POLLIN, 0};
        for (int i = 0; i < CONNECTIONS_MAX; i++) polls[i + 2] = (struct pollfd){connections[i].bytes ? connections[i].fd : -1, POLLIN, 0};
        if (poll(polls, CONNECTIONS_MAX + 2, -1) < 0) return 1;
        for (int i = 0; i < CONNECTIONS_MAX; i++) {
            struct connection *connection = &connections[i];
            if (!connection->bytes || !polls[i + 2].revents || serve(connection)) continue;
            close(connection->fd);
            free(connection->bytes);
            *connection = (struct connection){0};
        }
        if (polls[1].revents) {
            int fd = accept(listener, NULL, NULL), free_place = 0;
            while (free_place < CONNECTIONS_MAX && connections[free_place].bytes) free_place++;
            if (free_place == CONNECTIONS_MAX) { close(fd); continue; }
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            connections[free_place] = (struct connection){fd, malloc(1 << 20), 0, 1 << 20};
        }
        if (polls[0].revents) {
            // One command at a time: whoever sends them waits for the answer.
            if (!fgets(command, sizeof command, stdin)) return 0;
            command[strcspn(command, "\n")] = 0;
            obey(command);
        }
    }
}
