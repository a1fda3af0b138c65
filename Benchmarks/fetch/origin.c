// The server that fetch is measured against: HTTP/1.1 with connections kept, one thread, epoll.
//
//     origin PORT
//
// GET /small answers with five bytes, GET /bytes/N with N zeros. It reads no request's body: there is none.
#define _GNU_SOURCE // accept4
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { request_max = 16384, sockets_max = 4096, block = 1 << 18 };

typedef struct {
    char request[request_max];
    size_t count;
    char head[256];
    size_t head_length, head_sent;
    unsigned long long left; // of the body
    bool waits;              // for the socket
} client;

static client *clients[sockets_max];
static char zeros[block];
static int poll_fd;

static void watch(int fd, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(poll_fd, operation, fd, &event);
}

static void leave(int fd) {
    free(clients[fd]);
    clients[fd] = NULL;
    close(fd);
}

static void answer(client *c) {
    unsigned long long length = 5;
    bool is_bytes = sscanf(c->request, "GET /bytes/%llu ", &length) == 1;
    c->head_length = (size_t)snprintf(c->head, sizeof c->head,
                                      "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %llu\r\n\r\n%s", length,
                                      is_bytes ? "" : "hello");
    c->head_sent = 0;
    c->left = is_bytes ? length : 0;
}

// False: the connection is over.
static bool sends(int fd, client *c) {
    while (c->head_sent < c->head_length || c->left > 0) {
        bool is_head = c->head_sent < c->head_length;
        size_t most = is_head ? c->head_length - c->head_sent : c->left < block ? (size_t)c->left : block;
        ssize_t sent = send(fd, is_head ? c->head + c->head_sent : zeros, most, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            if (!c->waits) watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            c->waits = true;
            return true;
        }
        if (sent <= 0) return false;
        if (is_head) c->head_sent += (size_t)sent;
        else c->left -= (unsigned long long)sent;
    }
    if (c->waits) watch(fd, EPOLLIN, EPOLL_CTL_MOD);
    c->waits = false;
    return true;
}

static bool receives(int fd, client *c) {
    ssize_t got = recv(fd, c->request + c->count, request_max - 1 - c->count, 0);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    c->count += (size_t)got;
    c->request[c->count] = 0;
    char *end = strstr(c->request, "\r\n\r\n");
    if (end == NULL) return c->count < request_max - 1;
    answer(c);
    c->count = 0; // nobody sends the next before this is answered
    return sends(fd, c);
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    signal(SIGPIPE, SIG_IGN);
    poll_fd = epoll_create1(0);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 512) != 0) return 1;
    watch(listener, EPOLLIN, EPOLL_CTL_ADD);
    for (;;) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll_fd, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int made = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (made < 0) continue;
                if (made >= sockets_max) {
                    close(made);
                    continue;
                }
                setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                clients[made] = calloc(1, sizeof(client));
                watch(made, EPOLLIN, EPOLL_CTL_ADD);
                continue;
            }
            client *c = clients[fd];
            bool goes_on = true;
            if (events[i].events & EPOLLOUT) goes_on = sends(fd, c);
            if (goes_on && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) goes_on = receives(fd, c);
            if (!goes_on) leave(fd);
        }
    }
}
