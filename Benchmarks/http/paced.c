// An open-loop HTTP client: requests leave at a fixed rate whatever the answers do, and a request's latency counts from the moment it was due, so
// that a server that stalls is not asked less for it.
//
// usage: paced PORT RATE SECONDS CONNECTIONS     prints: sent answered p50_us p99_us p99.9_us max_us
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE = 4096, CONNECTIONS_MAX = 256 };
struct connection { int socket; double due[QUEUE]; unsigned first, last; size_t matched; };

static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
static const char body[] = "Hello, World!";

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) { return (*(float *)a > *(float *)b) - (*(float *)a < *(float *)b); }

int main(int count, char **arguments) {
    if (count != 5) return 2;
    int port = atoi(arguments[1]), connections = atoi(arguments[4]);
    double rate = atof(arguments[2]), seconds = atof(arguments[3]);
    if (connections > CONNECTIONS_MAX) return 2;
    size_t most = (size_t)(rate * seconds) + 1, sent = 0, answered = 0;
    float *latencies = malloc(most * sizeof *latencies);
    static struct connection all[CONNECTIONS_MAX];
    int poll = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        all[i].socket = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(all[i].socket, (void *)&address, sizeof address) != 0) return perror("connect"), 1;
        int yes = 1;
        setsockopt(all[i].socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].socket, &event);
    }
    double start = now(), end = start + seconds * 1e6, grace = end + 2e6;
    while (now() < grace && (answered < sent || now() < end)) {
        double time = now();
        while (time < end && start + sent * 1e6 / rate <= time && sent < most) {
            struct connection *c = &all[sent % connections];
            if (c->last - c->first == QUEUE) break;
            c->due[c->last++ % QUEUE] = start + sent * 1e6 / rate;
            if (send(c->socket, request, sizeof request - 1, MSG_NOSIGNAL) < 0) return perror("send"), 1;
            sent++;
        }
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, 0);
        for (int i = 0; i < ready; i++) {
            struct connection *c = &all[events[i].data.u32];
            char bytes[65536];
            ssize_t length = recv(c->socket, bytes, sizeof bytes, MSG_DONTWAIT);
            if (length == 0) return fprintf(stderr, "paced: the server closed a connection\n"), 1;
            double arrived = now();
            for (ssize_t at = 0; at < length; at++) {
                c->matched = bytes[at] == body[c->matched] ? c->matched + 1 : bytes[at] == body[0];
                if (c->matched < sizeof body - 1) continue;
                c->matched = 0;
                latencies[answered++] = (float)(arrived - c->due[c->first++ % QUEUE]);
            }
        }
    }
    qsort(latencies, answered, sizeof *latencies, ascending);
#define QUANTILE(q) (answered ? latencies[(size_t)((answered - 1) * (q))] : 0)
    printf("%zu %zu %.0f %.0f %.0f %.0f\n", sent, answered, QUANTILE(0.5), QUANTILE(0.99), QUANTILE(0.999), QUANTILE(1));
    return 0;
}
