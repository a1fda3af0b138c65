// Sends OTLP/HTTP requests of spans at a fixed rate, and writes down of each request when it left and how it was answered.
//
// usage: sender PORT FILE REQUESTS SPANS CONNECTIONS RATE SECONDS
//
// SPANS a request, RATE spans a second (0: as fast as it goes); ends when all requests are answered, or after SECONDS. The spans of request N (from 0) have the ids
// N * SPANS + 1 and up, big-endian. FILE is a table of `struct request`, made here and mapped. A request that is answered with 429 or 503 is sent again; one whose connection ends before
// the answer is not: nobody has promised anything about it. A connection that does not come about is tried again, since nothing was sent.
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

// CLOCK_MONOTONIC, nanoseconds; 0: not yet. `status`: of the last answer; 0: none came.
struct request { uint64_t due, sent, answered; uint32_t status, tries; };

enum { ATTRIBUTES = 8, CONNECTIONS_MAX = 256 };
static struct request *requests;
static uint64_t request_count, start, end;
static atomic_ulong next_request;
static int port, spans;
static double rate;

// The request, and where in it each span's ids and start are.
static uint8_t *message;
static size_t message_size, *places;

static uint64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static size_t varint(uint8_t *to, uint64_t value) {
    size_t n = 0;
    for (; value > 127; value >>= 7) to[n++] = value | 128;
    to[n++] = value;
    return n;
}

static size_t bytes(uint8_t *to, unsigned field, const void *from, size_t count) {
    size_t n = varint(to, field << 3 | 2);
    n += varint(to + n, count);
    memcpy(to + n, from, count);
    return n + count;
}

static size_t attribute(uint8_t *to, unsigned field, const char *key, const char *text) {
    uint8_t value[128], pair[256];
    size_t n = bytes(value, 1, text, strlen(text)), m = bytes(pair, 1, key, strlen(key));
    m += bytes(pair + m, 2, value, n);
    return bytes(to, field, pair, m);
}

static void build(void) {
    static const char *const attributes[ATTRIBUTES][2] = {
        {"http.request.method", "GET"}, {"url.path", "/orders/4711/lines"}, {"http.route", "/orders/{order}/lines"}, {"http.response.status_code", "200"},
        {"server.address", "orders.internal"}, {"server.port", "8080"}, {"network.protocol.version", "1.1"}, {"user_agent.original", "undici"}};
    uint8_t span[1024], resource[512], *scope_spans = malloc(spans * sizeof span + 512), *resource_spans = malloc(spans * sizeof span + 1024);
    places = malloc(spans * sizeof *places);
    size_t scope_count = 0, n;
    uint8_t scope[64];
    n = bytes(scope, 1, "benchmark", 9);
    scope_count += bytes(scope_spans, 1, scope, n);
    for (int i = 0; i < spans; i++) {
        static const uint8_t zeros[16];
        n = bytes(span, 1, zeros, 16);                                        // trace_id: its bytes begin at 2
        n += bytes(span + n, 2, zeros, 8);                                    // span_id: at 20
        span[n++] = 7 << 3 | 1, memset(span + n, 0, 8), n += 8;               // start_time_unix_nano: at 29
        span[n++] = 8 << 3 | 1, memset(span + n, 0, 8), n += 8;               // end_time_unix_nano: at 38
        n += bytes(span + n, 4, "\1\2\3\4\5\6\7\10", 8);
        n += bytes(span + n, 5, "GET /orders/{order}/lines", 25);
        span[n++] = 6 << 3, span[n++] = 2;
        for (int a = 0; a < ATTRIBUTES; a++) n += attribute(span + n, 9, attributes[a][0], attributes[a][1]);
        scope_count += bytes(scope_spans + scope_count, 2, span, n);
        places[i] = scope_count - n;
    }
    n = attribute(resource, 1, "service.name", "orders");
    n += attribute(resource + n, 1, "service.instance.id", "6f1c5c0e-0000-4000-8000-000000000001");
    n += attribute(resource + n, 1, "host.name", "benchmark");
    size_t before = bytes(resource_spans, 1, resource, n), all = before + bytes(resource_spans + before, 2, scope_spans, scope_count);
    message = malloc(all + 512);
    uint8_t prefix[16];
    size_t prefix_count = varint(prefix, 1 << 3 | 2);
    prefix_count += varint(prefix + prefix_count, all);
    int head = sprintf((char *)message, "POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/x-protobuf\r\nContent-Length: %zu\r\n\r\n", port, all + prefix_count);
    memcpy(message + head, prefix, prefix_count);
    memcpy(message + head + prefix_count, resource_spans, all);
    message_size = head + prefix_count + all;
    for (int i = 0; i < spans; i++) places[i] += message_size - scope_count;
    free(scope_spans);
    free(resource_spans);
}

static void number(uint8_t *copy, uint64_t request) {
    uint64_t begin = now(CLOCK_REALTIME), finish = begin + 1000000;
    for (int i = 0; i < spans; i++) {
        uint64_t id = request * spans + i + 1, trace = id * 0x9E3779B97F4A7C15ull;
        uint8_t *span = copy + places[i];
        memcpy(span + 2, &trace, 8);
        memcpy(span + 10, &id, 8);
        for (int b = 0; b < 8; b++) span[20 + b] = id >> (56 - 8 * b);
        memcpy(span + 29, &begin, 8);
        memcpy(span + 38, &finish, 8);
    }
}

static int connected(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int made = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct timeval patience = {.tv_usec = 200000};  // to look at the end of the time
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!connect(made, (void *)&address, sizeof address)) return made;
    close(made);
    return -1;
}

// The status; 0: the connection has ended, or the time.
static int answer(int socket, int *ends) {
    char text[65536];
    for (size_t count = 0; count < sizeof text - 1;) {
        ssize_t part = recv(socket, text + count, sizeof text - 1 - count, 0);
        if (part < 0 && (errno == EAGAIN || errno == EINTR) && now(CLOCK_MONOTONIC) < end) continue;
        if (part <= 0) return 0;
        text[count += part] = 0;
        char *body = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length:"), *chunked = strcasestr(text, "transfer-encoding: chunked");
        if (!body) continue;
        if (chunked && chunked < body ? !strstr(body + 2, "\r\n0\r\n\r\n") : count < body + 4 - text + (length && length < body ? strtoull(length + 15, NULL, 10) : 0)) continue;
        *ends = strcasestr(text, "connection: close") != NULL;
        return atoi(text + 9);
    }
    return 0;
}

static void wait_until(uint64_t time) {
    struct timespec until = {time / 1000000000, time % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {}
}

static void *sending(void *unused) {
    (void)unused;
    uint8_t *copy = malloc(message_size);
    memcpy(copy, message, message_size);
    int socket = -1;
    for (;;) {
        uint64_t index = next_request++;
        uint64_t due = start + (rate > 0 ? (uint64_t)(index * (double)spans / rate * 1e9) : 0);
        if (index >= request_count || due >= end) break;
        wait_until(due);
        number(copy, index);
        struct request *request = &requests[index];
        request->due = due;
        for (;;) {
            while (socket < 0 && (socket = connected()) < 0 && now(CLOCK_MONOTONIC) < end) usleep(5000);
            if (socket < 0) return NULL;
            request->tries++;
            size_t sent = 0;
            for (ssize_t part = 1; sent < message_size && part > 0; sent += part > 0 ? part : 0) part = send(socket, copy + sent, message_size - sent, MSG_NOSIGNAL);
            request->sent = now(CLOCK_MONOTONIC);
            int ends = 1, status = sent == message_size ? answer(socket, &ends) : 0;
            if (ends) { close(socket); socket = -1; }
            request->status = status;
            if (!status) break;
            request->answered = now(CLOCK_MONOTONIC);
            if ((status != 429 && status != 503) || request->answered >= end) break;
            usleep(20000);
        }
    }
    if (socket >= 0) close(socket);
    free(copy);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 8) return fputs("usage: sender PORT FILE REQUESTS SPANS CONNECTIONS RATE SECONDS\n", stderr), 2;
    port = atoi(arguments[1]);
    request_count = strtoull(arguments[3], NULL, 10);
    spans = atoi(arguments[4]);
    int connections = atoi(arguments[5]);
    rate = atof(arguments[6]);
    if (request_count < 1 || spans < 1 || connections < 1 || connections > CONNECTIONS_MAX) return 2;
    int file = open(arguments[2], O_RDWR | O_CREAT | O_TRUNC, 0644);
    size_t size = request_count * sizeof *requests;
    if (file < 0 || ftruncate(file, size)) return perror("sender"), 1;
    requests = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (requests == MAP_FAILED) return perror("sender"), 1;
    build();
    start = now(CLOCK_MONOTONIC);
    end = start + (uint64_t)(atof(arguments[7]) * 1e9);
    pthread_t threads[CONNECTIONS_MAX];
    for (int i = 0; i < connections; i++) pthread_create(&threads[i], NULL, sending, NULL);
    for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
    return 0;
}
