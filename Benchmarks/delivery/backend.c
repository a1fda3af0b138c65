// An OTLP/HTTP backend that goes wrong on command, and knows of each span when it came and how often.
//
// usage: backend PORT FILE SPANS
//
// FILE, made here and mapped: for the span ids 0 to SPANS the time of the first arrival (8 bytes, CLOCK_MONOTONIC, ns), then a byte each with how often it
// came, then a byte each that is 1 when it was refused for good. A span id is a big-endian number.
//
// Commands are lines on stdin, each answered by a line: `mode NAME [NUMBER]` (see `modes`), `down` (connections end, new ones are refused), `up`, `stats`.
// What counts as arrived was answered with success by the whole of a response; so what comes again after another answer is no duplicate, and what does not
// is lost. A command takes effect between two requests and never between a request and its answer.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum mode { OK, SLOW, HANG, RESET_REQUEST, RESET_RESPONSE, TRUNCATED, GARBAGE, BAD_BODY, PARTIAL, STATUS, STATUS_AFTER };
static const char *const modes[] = {
    "ok",             // 200
    "slow",           // 200 after NUMBER ms
    "hang",           // no answer while this lasts, then the connection ends
    "reset-request",  // reset when half of the request has come
    "reset-response", // reset when half of the answer has gone
    "truncated",      // 200 in chunks, which end in the middle
    "garbage",        // bytes that are no HTTP, then the end
    "bad-body",       // 200 with a body that is no protobuf: it has been taken
    "partial",        // 200 with a partial success that rejects nothing but warns: it has been taken
    "status",         // NUMBER, for instance 503
    "status-after",   // the same with `Retry-After: 1`
};
enum { MODES = sizeof modes / sizeof *modes, CONNECTIONS_MAX = 1024, REQUEST_MAX = 64 << 20 };

static uint64_t *arrived;
static uint8_t *times, *refused;
static uint64_t spans_max;
static atomic_ulong requests, spans, distinct, duplicates, duplicate_requests, refusals, strange, largest;

// Held for reading from the look at the mode to the end of the answer.
static pthread_rwlock_t state = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static enum mode mode = OK;
static int number;
static atomic_uint epoch;  // counts commands that change the state
static int port, listener = -1;
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static int open_sockets[CONNECTIONS_MAX];

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void sleep_milliseconds(int count) { usleep((useconds_t)count * 1000); }

// Protobuf: the ids of all spans of a request, for each of which `each` is called. ExportTraceServiceRequest.resource_spans (1), scope_spans (2), spans (2), span_id (2).
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

static int walk(struct text from, int depth, void (*each)(uint64_t id, void *context), void *context) {
    static const unsigned path[] = {1, 2, 2, 2};
    while (from.at < from.end) {
        uint64_t key, value;
        if (!varint(&from, &key)) return 0;
        switch (key & 7) {
        case 0: if (!varint(&from, &value)) return 0; continue;
        case 1: value = 8; break;
        case 5: value = 4; break;
        case 2: if (!varint(&from, &value)) return 0; break;
        default: return 0;
        }
        if (value > (uint64_t)(from.end - from.at)) return 0;
        struct text field = {from.at, from.at + value};
        from.at += value;
        if ((key & 7) != 2 || key >> 3 != path[depth]) continue;
        if (depth < 3) {
            if (!walk(field, depth + 1, each, context)) return 0;
        } else if (value == 8) {
            uint64_t id = 0;
            for (int i = 0; i < 8; i++) id = id << 8 | field.at[i];
            each(id, context);
        }
    }
    return 1;
}

struct request { uint64_t time; unsigned long spans, duplicates; int is_refused; };

static void note(uint64_t id, void *context) {
    struct request *request = context;
    request->spans++;
    if (id > spans_max) { strange++; return; }
    if (request->is_refused) { refused[id] = 1; return; }
    // Two connections may bring the same span at the same time.
    uint8_t before = __atomic_fetch_add(&times[id], times[id] < 255, __ATOMIC_RELAXED);
    if (before == 0) { arrived[id] = request->time; distinct++; } else { request->duplicates++; }
}

static void take(struct text body, int is_gzip, int is_refused) {
    struct request request = {.time = now(), .is_refused = is_refused};
    uint8_t *inflated = NULL;
    if (is_gzip) {
        size_t room = (size_t)(body.end - body.at) * 40 + (1 << 16);
        inflated = malloc(room);
        z_stream stream = {.next_in = (Bytef *)body.at, .avail_in = body.end - body.at, .next_out = inflated, .avail_out = room};
        inflateInit2(&stream, 15 + 32);
        if (inflate(&stream, Z_FINISH) != Z_STREAM_END) strange++;
        body = (struct text){inflated, inflated + stream.total_out};
        inflateEnd(&stream);
    }
    if (!walk(body, 0, note, &request)) strange++;
    free(inflated);
    if (is_refused) { refusals += request.spans; return; }
    requests++;
    spans += request.spans;
    duplicates += request.duplicates;
    if (request.duplicates) duplicate_requests++;
    for (unsigned long most = largest; request.spans > most && !atomic_compare_exchange_weak(&largest, &most, request.spans);) {}
}

static int header(const char *head, const char *name, char *value, size_t room) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) || line[length] != ':') continue;
        line += length + 1;
        line += strspn(line, " ");
        snprintf(value, room, "%.*s", (int)strcspn(line, "\r"), line);
        return 1;
    }
    return 0;
}

static int send_all(int socket, const void *bytes, size_t count) {
    for (size_t sent = 0; sent < count;) {
        ssize_t part = send(socket, (const char *)bytes + sent, count - sent, MSG_NOSIGNAL);
        if (part <= 0) return 0;
        sent += part;
    }
    return 1;
}

static void reset(int socket) {
    struct linger linger = {1, 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

struct connection { int socket; char *bytes; size_t count, room; };

// Reads until `wanted` bytes are there; 0 when the other side has ended.
static int fill(struct connection *c, size_t wanted) {
    if (wanted + 1 > c->room) c->bytes = realloc(c->bytes, c->room = wanted + (1 << 16));
    while (c->count < wanted) {
        ssize_t part = recv(c->socket, c->bytes + c->count, c->room - 1 - c->count, 0);
        if (part <= 0) return 0;
        c->count += part;
    }
    return 1;
}

// One request and its answer; 0 when the connection is to end.
static int serve(struct connection *c) {
    char *end = NULL, value[64];
    for (;;) {
        c->bytes[c->count] = 0;
        if (c->count && (end = strstr(c->bytes, "\r\n\r\n"))) break;
        if (!fill(c, c->count + 1)) return 0;
    }
    *end = 0;
    size_t head = end + 4 - c->bytes;
    int is_gzip = header(c->bytes, "content-encoding", value, sizeof value) && !strcasecmp(value, "gzip");
    int waits = header(c->bytes, "expect", value, sizeof value);
    size_t length = header(c->bytes, "content-length", value, sizeof value) ? strtoull(value, NULL, 10) : SIZE_MAX;
    if (length > REQUEST_MAX) {
        strange++;
        return 0;
    }
    if (waits && !send_all(c->socket, "HTTP/1.1 100 Continue\r\n\r\n", 25)) return 0;
    if (mode == RESET_REQUEST) {
        fill(c, head + length / 2);
        reset(c->socket);
        return 0;
    }
    if (!fill(c, head + length)) return 0;

    pthread_rwlock_rdlock(&state);
    unsigned began = epoch;
    enum mode how = mode;
    int goes_on = 0, n = number;
    struct text body = {(uint8_t *)c->bytes + head, (uint8_t *)c->bytes + head + length};
    static const char taken[] = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
    switch (listener < 0 ? RESET_REQUEST : how) {
    case SLOW: case OK:
        take(body, is_gzip, 0);
        if (how == SLOW) sleep_milliseconds(n);
        goes_on = send_all(c->socket, taken, sizeof taken - 1);
        break;
    case HANG:
        pthread_rwlock_unlock(&state);
        while (epoch == began) sleep_milliseconds(20);
        return 0;
    case RESET_REQUEST: reset(c->socket); break;
    case RESET_RESPONSE:
        send_all(c->socket, taken, sizeof taken / 2);
        sleep_milliseconds(2);
        reset(c->socket);
        break;
    case TRUNCATED: {
        static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nabc";
        send_all(c->socket, text, sizeof text - 1);
        break;
    }
    case GARBAGE: send_all(c->socket, "\x16\x03\x01 is this HTTP?\n\xff\xfe", 20); break;
    case BAD_BODY: {
        static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 6\r\n\r\n\xff\xff\xff\xff\xff\xff";
        take(body, is_gzip, 0);
        goes_on = send_all(c->socket, text, sizeof text - 1);
        break;
    }
    case PARTIAL: {  // partial_success { error_message: "slow down" }
        static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 13\r\n\r\n\x0a\x0b\x12\x09slow down";
        take(body, is_gzip, 0);
        goes_on = send_all(c->socket, text, sizeof text - 1);
        break;
    }
    case STATUS: case STATUS_AFTER: {
        char text[160];
        int size = snprintf(text, sizeof text, "HTTP/1.1 %d X\r\n%sContent-Length: 0\r\n\r\n", n, how == STATUS_AFTER ? "Retry-After: 1\r\n" : "");
        // OTLP: "All other 4xx or 5xx response status codes MUST NOT be retried."
        if (n != 429 && n != 502 && n != 503 && n != 504) take(body, is_gzip, 1);
        goes_on = send_all(c->socket, text, size);
        break;
    }
    }
    pthread_rwlock_unlock(&state);
    c->count -= head + length;
    memmove(c->bytes, c->bytes + head + length, c->count);
    return goes_on;
}

static void *connection(void *argument) {
    struct connection c = {.socket = (int)(intptr_t)argument, .room = 1 << 20};
    c.bytes = malloc(c.room);
    while (serve(&c)) {}
    pthread_mutex_lock(&open_lock);
    for (int i = 0; i < CONNECTIONS_MAX; i++) if (open_sockets[i] == c.socket) { open_sockets[i] = -1; break; }
    close(c.socket);
    pthread_mutex_unlock(&open_lock);
    free(c.bytes);
    return NULL;
}

static void *accepting(void *unused) {
    (void)unused;
    for (;;) {
        int socket = accept(listener, NULL, NULL), yes = 1;
        if (socket < 0) return NULL;  // `down` has shut it
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        int place = 0;
        pthread_mutex_lock(&open_lock);
        while (place < CONNECTIONS_MAX && open_sockets[place] >= 0) place++;
        if (place < CONNECTIONS_MAX) open_sockets[place] = socket;
        pthread_mutex_unlock(&open_lock);
        pthread_t thread;
        if (place == CONNECTIONS_MAX || pthread_create(&thread, NULL, connection, (void *)(intptr_t)socket)) {
            fputs("backend: too many connections\n", stderr);
            exit(1);
        }
        pthread_detach(thread);
    }
}

static pthread_t acceptor;

static void up(void) {
    int yes = 1, made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(made, (void *)&address, sizeof address) || listen(made, 512)) { perror("backend: listen"); exit(1); }
    listener = made;
    pthread_create(&acceptor, NULL, accepting, NULL);
}

static void down(void) {
    int was = listener;
    shutdown(was, SHUT_RDWR);
    pthread_join(acceptor, NULL);
    listener = -1;
    close(was);
    pthread_mutex_lock(&open_lock);
    for (int i = 0; i < CONNECTIONS_MAX; i++) if (open_sockets[i] >= 0) shutdown(open_sockets[i], SHUT_RDWR);
    pthread_mutex_unlock(&open_lock);
}

static int command(const char *line) {
    char name[32], value[32];
    int n = 0;
    if (!strcmp(line, "stats\n")) {
        printf("{\"requests\":%lu,\"spans\":%lu,\"distinct\":%lu,\"duplicates\":%lu,\"duplicate_requests\":%lu,\"refusals\":%lu,\"strange\":%lu,\"largest\":%lu}\n", requests, spans,
               distinct, duplicates, duplicate_requests, refusals, strange, largest);
        return 1;
    }
    if (sscanf(line, "%31s %31s %d", name, value, &n) < 1) return 0;
    pthread_rwlock_wrlock(&state);
    int is_known = 1;
    if (!strcmp(name, "down")) {
        if (listener >= 0) down();
    } else if (!strcmp(name, "up")) {
        if (listener < 0) up();
    } else {
        int found = 0;
        while (found < MODES && strcmp(modes[found], value)) found++;
        is_known = !strcmp(name, "mode") && found < MODES;
        if (is_known) { mode = found; number = n; }
    }
    epoch++;
    pthread_rwlock_unlock(&state);
    if (is_known) puts("done");
    return is_known;
}

int main(int count, char **arguments) {
    if (count != 4) return fputs("usage: backend PORT FILE SPANS\n", stderr), 2;
    port = atoi(arguments[1]);
    spans_max = strtoull(arguments[3], NULL, 10);
    size_t size = (spans_max + 1) * 10;
    int file = open(arguments[2], O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || ftruncate(file, size)) return perror("backend"), 1;
    arrived = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (arrived == MAP_FAILED) return perror("backend"), 1;
    times = (uint8_t *)(arrived + spans_max + 1);
    refused = times + spans_max + 1;
    memset(open_sockets, -1, sizeof open_sockets);
    setvbuf(stdout, NULL, _IOLBF, 0);
    up();
    puts("ready");
    for (char line[128]; fgets(line, sizeof line, stdin);) {
        if (!command(line)) return fprintf(stderr, "backend: what is \"%s\"?\n", line), 2;
    }
    return 0;
}
