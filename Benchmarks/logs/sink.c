// An OTLP/HTTP backend for what `writer` has written: knows of each content how many of its lines came, in order and once.
//
// usage: sink PORT
//
// Commands are lines on stdin: `take`, `refuse` (503 from the next request on), `stats` (a line of JSON), `table` (a line for each content: its number, lines that came in
// order, lines that came again or too late, lines that were left out; then an empty line). One thread takes requests, one after the other over all connections.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, CONTENTS_MAX = 1 << 20 };

static struct { uint64_t next, again, missed; } contents[CONTENTS_MAX];
static uint32_t contents_seen;
static uint64_t records, requests, refused, strange;
static int refuses;

struct text { const uint8_t *at, *end; };

static int varint(struct text *from, uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 64 && from->at < from->end; shift += 7) {
        uint8_t byte = *from->at++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return 1;
    }
    return 0;
}

static uint64_t number(const uint8_t *at, int count, int base) {
    uint64_t value = 0;
    for (int index = 0; index < count; index++) {
        int digit = at[index] <= '9' ? at[index] - '0' : at[index] - 'a' + 10;
        if (digit < 0 || digit >= base) return UINT64_MAX;
        value = value * base + digit;
    }
    return value;
}

static void take_line(struct text line) {
    uint64_t content = UINT64_MAX, at = UINT64_MAX;
    if (line.end - line.at >= 20) content = number(line.at, 8, 16), at = number(line.at + 9, 10, 10);
    if (content >= CONTENTS_MAX || at == UINT64_MAX) {
        strange++;
        return;
    }
    records++;
    if (content >= contents_seen) contents_seen = content + 1;
    if (at < contents[content].next) {
        contents[content].again++;
    } else {
        contents[content].missed += at - contents[content].next;
        contents[content].next = at + 1;
    }
}

// resource_logs, scope_logs, log_records, body, string_value
static void walk(struct text from, int depth) {
    static const unsigned path[] = {1, 2, 2, 5, 1};
    while (from.at < from.end) {
        uint64_t tag, length;
        if (!varint(&from, &tag)) break;
        if ((tag & 7) == 0) {
            if (!varint(&from, &length)) break;
        } else if ((tag & 7) == 1) {
            from.at += 8;
        } else if ((tag & 7) == 5) {
            from.at += 4;
        } else if ((tag & 7) == 2 && varint(&from, &length) && length <= (uint64_t)(from.end - from.at)) {
            struct text inner = {from.at, from.at + length};
            if (tag >> 3 == path[depth]) depth == 4 ? take_line(inner) : walk(inner, depth + 1);
            from.at += length;
        } else {
            strange++;
            return;
        }
    }
}

struct connection { char *bytes; size_t count, room; };
static struct connection connections[CONNECTIONS_MAX + 2];
static struct pollfd polled[CONNECTIONS_MAX + 2];

static int serve(int index) {
    struct connection *c = &connections[index];
    for (;;) {
        char *end = memmem(c->bytes, c->count, "\r\n\r\n", 4);
        if (!end) return 1;
        *end = 0;
        char *field = strcasestr(c->bytes, "content-length:");
        *end = '\r';
        size_t length = field ? strtoull(field + 15, 0, 10) : 0, head = end + 4 - c->bytes;
        if (c->count < head + length) {
            if (c->room < head + length) c->bytes = realloc(c->bytes, c->room = head + length + 65536);
            return 1;
        }
        requests++;
        const char *answer;
        if (refuses) {
            refused++;
            answer = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n";
        } else {
            walk((struct text){(uint8_t *)c->bytes + head, (uint8_t *)c->bytes + head + length}, 0);
            answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
        }
        if (send(polled[index].fd, answer, strlen(answer), MSG_NOSIGNAL) < 0) return 0;
        memmove(c->bytes, c->bytes + head + length, c->count -= head + length);
    }
}

static void command(const char *line) {
    if (!strncmp(line, "take", 4)) refuses = 0;
    if (!strncmp(line, "refuse", 6)) refuses = 1;
    if (!strncmp(line, "table", 5)) {
        for (uint32_t index = 0; index < contents_seen; index++)
            printf("%u %llu %llu %llu\n", index, (unsigned long long)contents[index].next, (unsigned long long)contents[index].again, (unsigned long long)contents[index].missed);
        printf("\n");
    } else {
        printf("{\"records\":%llu,\"requests\":%llu,\"refused\":%llu,\"strange\":%llu}\n", (unsigned long long)records, (unsigned long long)requests, (unsigned long long)refused, (unsigned long long)strange);
    }
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: sink PORT\n"), 2;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (void *)&place, sizeof place) || listen(listener, 64)) return perror("listen"), 1;
    for (int index = 0; index < CONNECTIONS_MAX + 2; index++) polled[index] = (struct pollfd){-1, POLLIN, 0};
    polled[0].fd = 0, polled[1].fd = listener;
    for (;;) {
        if (poll(polled, CONNECTIONS_MAX + 2, -1) < 0 && errno != EINTR) return perror("poll"), 1;
        if (polled[0].revents) {
            char line[64];
            if (!fgets(line, sizeof line, stdin)) return 0;
            command(line);
        }
        if (polled[1].revents) {
            int socket = accept4(listener, 0, 0, SOCK_CLOEXEC);
            int index = 2;
            while (index < CONNECTIONS_MAX + 2 && polled[index].fd >= 0) index++;
            if (socket >= 0 && index < CONNECTIONS_MAX + 2) {
                setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                polled[index].fd = socket, polled[index].revents = 0;
                connections[index].count = 0;
                if (!connections[index].bytes) connections[index].bytes = malloc(connections[index].room = 4 << 20);
            } else if (socket >= 0) {
                close(socket);
            }
        }
        for (int index = 2; index < CONNECTIONS_MAX + 2; index++) {
            if (polled[index].fd < 0 || !polled[index].revents) continue;
            struct connection *c = &connections[index];
            if (c->count == c->room) c->bytes = realloc(c->bytes, c->room *= 2);
            ssize_t count = recv(polled[index].fd, c->bytes + c->count, c->room - c->count, 0);
            if (count > 0) c->count += count;
            if (count <= 0 || !serve(index)) close(polled[index].fd), polled[index].fd = -1;
        }
    }
}
