// What Glibc's Swift module does not show, or shows under another definition (sys/eventfd.h, sys/signalfd.h, GNU's part of string.h),
// is included here and not in the header: Swift compares the two modules' declarations and stops where they differ.
#include "CLinux.h"
#include <limits.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

const char *sl_signal_abbreviation(int signal) { return sigabbrev_np(signal); }

const char *sl_error_name(int code) { return strerrorname_np(code); }

int sl_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

ssize_t sl_read_now(int fd, void *bytes, size_t count) {
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    return preadv2(fd, &part, 1, -1, RWF_NOWAIT);
}

int sl_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK); }

bool sl_signalfd_next(int fd, sl_signal *signal) {
    struct signalfd_siginfo info;
    ssize_t count;
    do count = read(fd, &info, sizeof info);
    while (count < 0 && errno == EINTR);
    if (count != (ssize_t)sizeof info) return false;
    signal->number = (int)info.ssi_signo;
    signal->from_kernel = info.ssi_code == SI_KERNEL;
    signal->sender = signal->from_kernel ? 0 : (pid_t)info.ssi_pid;
    return true;
}

// Runs in the child of vfork, on the parent's memory and stack: system calls only, no allocation, no lock, and nothing the
// parent keeps may be changed but through `sl_spawn`'s own `failure`. Returns errno.
static int exec_child(const sl_spawn_request *request, pid_t parent) {
    if (prctl(PR_SET_PDEATHSIG, request->parent_death_signal) != 0) return errno;
    if (request->own_group && setpgid(0, 0) != 0) return errno;
    // The parent may have died before the lines above; then nobody would tell us. From a PID namespace of our own it has no number.
    if (getppid() != parent && !request->own_pids) return ESRCH;

    // First out of the way of 3, 4, ...: a source may be another's destination. Not closed at exec by dup2's own doing.
    int lifted[SL_SPAWN_DESCRIPTORS_MAX];
    for (int i = 0; i < request->descriptor_count; i++) {
        lifted[i] = fcntl(request->descriptors[i], F_DUPFD_CLOEXEC, 3 + SL_SPAWN_DESCRIPTORS_MAX);
        if (lifted[i] < 0) return errno;
    }
    for (int i = 0; i < 3; i++) {
        if (request->streams[i] >= 0 && dup2(request->streams[i], i) < 0) return errno;
    }
    for (int i = 0; i < request->descriptor_count; i++) {
        if (dup2(lifted[i], 3 + i) < 0) return errno;
    }
    if (syscall(SYS_close_range, 3 + request->descriptor_count, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) != 0 && errno != ENOSYS) {
        return errno;
    }

    // A handler of ours must not run in the child: it would run on the parent's memory. What is ignored stays ignored, so that
    // `nohup` reaches the workload, but for SIGPIPE, which is ignored by us and not by who started us.
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction current;
        if (sigaction(signal, NULL, &current) != 0) continue;
        if (current.sa_handler != SIG_IGN || signal == SIGPIPE) sigaction(signal, &standard, NULL);
    }
    sigset_t blocked;
    sigemptyset(&blocked);
    // The first process of a namespace never gets a signal that it has no handler for, unless it is blocked: then it waits until the worker looks.
    if (request->own_pids) {
        sigaddset(&blocked, SIGINT);
        sigaddset(&blocked, SIGTERM);
    }
    if (sigprocmask(SIG_SETMASK, &blocked, NULL) != 0) return errno;

    execve(request->executable, request->arguments, request->environment);
    return errno;
}

// The next children of this thread begin a PID namespace; what undoes it. -1 and errno.
static int begin_pids(void) {
    int own = open("/proc/thread-self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (own < 0 || unshare(CLONE_NEWPID) == 0) return own;
    int saved = errno;
    close(own);
    errno = saved;
    return -1;
}

pid_t sl_spawn(const sl_spawn_request *request) {
    if (request->descriptor_count > SL_SPAWN_DESCRIPTORS_MAX) {
        errno = EINVAL;
        return -1;
    }
    int own_pids = -1;
    if (request->own_pids && (own_pids = begin_pids()) < 0) return -1;
    sigset_t all, before;
    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &before) != 0) return -1;
    pid_t parent = getpid();
    volatile int failure = 0;
    pid_t child = vfork();
    if (child == 0) {
        failure = exec_child(request, parent);
        _exit(127);
    }
    int fork_failure = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (own_pids >= 0) {
        setns(own_pids, CLONE_NEWPID);
        close(own_pids);
    }
    if (child < 0) {
        errno = fork_failure;
        return -1;
    }
    if (failure != 0) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        errno = failure;
        return -1;
    }
    return child;
}

static int fail_closing(int fd) {
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

// Datagrams have no backlog, and of two who bound the same place only one would get them.
static int listen_at(const struct addrinfo *at, int backlog, uint16_t *bound_port) {
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0) return -1;
    int one = 1;
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    const bool is_stream = at->ai_socktype == SOCK_STREAM;
    if ((is_stream && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0) || bind(fd, at->ai_addr, at->ai_addrlen) != 0 ||
        (is_stream && listen(fd, backlog) != 0) || getsockname(fd, (struct sockaddr *)&bound, &length) != 0) {
        return fail_closing(fd);
    }
    // The port is at the same place for both families.
    *bound_port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
    return fd;
}

static int listen_host(const char *host, uint16_t port, int type, int backlog, sl_listen_result *result) {
    *result = (sl_listen_result){.port = 0};
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = type, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, service, &hints, &found);
    if (code != 0) {
        result->not_known = gai_strerror(code);
        return -1;
    }
    int fd = -1, saved = EADDRNOTAVAIL;
    for (struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        result->tried++;
        fd = listen_at(at, backlog, &result->port);
        if (fd >= 0) break;
        saved = errno;
        if (getnameinfo(at->ai_addr, at->ai_addrlen, result->last, sizeof result->last, NULL, 0, NI_NUMERICHOST) != 0) result->last[0] = 0;
    }
    freeaddrinfo(found);
    errno = saved;
    return fd;
}

int sl_listen_tcp(const char *host, uint16_t port, int backlog, sl_listen_result *result) {
    return listen_host(host, port, SOCK_STREAM, backlog, result);
}

// The address of a socket in the file system. A path longer than sun_path is reached through its folder: *folder is then a descriptor that
// must stay open until the address was used, else -1.
static bool unix_address(const char *path, struct sockaddr_un *address, int *folder) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    *folder = -1;
    size_t length = strlen(path);
    if (length < sizeof address->sun_path) {
        memcpy(address->sun_path, path, length + 1);
        return true;
    }
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t parent_length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    if (slash == NULL || parent_length >= sizeof parent) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(parent, path, parent_length);
    parent[parent_length] = 0;
    *folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0) return false;
    int count = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *folder, slash + 1);
    if (count < (int)sizeof address->sun_path) return true;
    close(*folder);
    errno = ENAMETOOLONG;
    return false;
}

static int listen_unix(const char *path, const struct sockaddr_un *address, int type, int backlog) {
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (bind(fd, (struct sockaddr *)address, sizeof *address) != 0) {
        struct stat status;
        if (errno != EADDRINUSE) return fail_closing(fd);
        if (stat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
            errno = EADDRINUSE;
            return fail_closing(fd);
        }
        int probe = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        bool is_stale = probe >= 0 && connect(probe, (struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
        if (probe >= 0) close(probe);
        if (!is_stale) errno = EADDRINUSE;
        if (!is_stale || unlink(path) != 0 || bind(fd, (struct sockaddr *)address, sizeof *address) != 0) return fail_closing(fd);
    }
    if (type == SOCK_STREAM && listen(fd, backlog) != 0) return fail_closing(fd);
    return fd;
}

static int close_folder(int folder, int result) {
    int saved = errno;
    if (folder >= 0) close(folder);
    errno = saved;
    return result;
}

int sl_listen_unix(const char *path, int backlog) {
    struct sockaddr_un address;
    int folder;
    if (!unix_address(path, &address, &folder)) return -1;
    return close_folder(folder, listen_unix(path, &address, SOCK_STREAM, backlog));
}

static int with_datagram_options(int fd, int buffer_bytes) {
    const int one = 1;
    // Each is a wish: less room loses more, and is counted where the kernel tells.
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
    return fd;
}

int sl_bind_udp(const char *host, uint16_t port, int buffer_bytes, sl_listen_result *result) {
    const int fd = listen_host(host, port, SOCK_DGRAM, 0, result);
    return fd < 0 ? -1 : with_datagram_options(fd, buffer_bytes);
}

int sl_bind_unix_datagram(const char *path, int buffer_bytes) {
    struct sockaddr_un address;
    int folder;
    if (!unix_address(path, &address, &folder)) return -1;
    const int fd = close_folder(folder, listen_unix(path, &address, SOCK_DGRAM, 0));
    return fd < 0 ? -1 : with_datagram_options(fd, buffer_bytes);
}

int sl_receive_datagrams(int fd, void *memory, size_t each, sl_datagram *datagrams, int count, uint32_t *dropped) {
    struct mmsghdr messages[SL_DATAGRAMS_MAX];
    struct iovec parts[SL_DATAGRAMS_MAX];
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(uint32_t))];
    } controls[SL_DATAGRAMS_MAX];
    if (count > SL_DATAGRAMS_MAX) count = SL_DATAGRAMS_MAX;
    for (int i = 0; i < count; i++) {
        parts[i] = (struct iovec){.iov_base = (char *)memory + i * each, .iov_len = each};
        messages[i] = (struct mmsghdr){.msg_hdr = {
            .msg_iov = &parts[i], .msg_iovlen = 1, .msg_control = &controls[i], .msg_controllen = sizeof controls[i]}};
    }
    const int received = recvmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT, NULL);
    for (int i = 0; i < received; i++) {
        struct msghdr *head = &messages[i].msg_hdr;
        datagrams[i] = (sl_datagram){.count = messages[i].msg_len, .is_cut = (head->msg_flags & MSG_TRUNC) != 0};
        for (struct cmsghdr *at = CMSG_FIRSTHDR(head); at != NULL; at = CMSG_NXTHDR(head, at)) {
            if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_RXQ_OVFL) memcpy(dropped, CMSG_DATA(at), sizeof *dropped);
        }
    }
    return received;
}

void sl_keep_alive(int fd) {
    const int one = 1, idle_seconds = 60, interval_seconds = 20;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_seconds, sizeof interval_seconds);
}

int sl_open_fifo(const char *path, bool *is_new) {
    struct stat status;
    *is_new = mkfifo(path, 0660) == 0;
    if (!*is_new && errno != EEXIST) return -1;
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return -1;
    if (fstat(fd, &status) != 0) return fail_closing(fd);
    if (!S_ISFIFO(status.st_mode)) {
        errno = EEXIST;
        return fail_closing(fd);
    }
    // Whatever the umask has taken away.
    if (*is_new) fchmod(fd, 0660);
    return fd;
}

int sl_open_fifo_writer(int fd) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

int sl_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int sl_set_nonblocking(int fd) {
    const int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int sl_inotify(void) { return inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

int sl_inotify_watch(int fd, const char *folder) {
    return inotify_add_watch(fd, folder, IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK);
}

int sl_inotify_watch_writes(int fd, const char *folder) {
    return inotify_add_watch(fd, folder, IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK);
}

const void *sl_last_byte(const void *bytes, int byte, size_t count) { return memrchr(bytes, byte, count); }

_Static_assert(SL_INOTIFY_HEADER_BYTES == sizeof(struct inotify_event), "inotify_event");
_Static_assert(SL_INOTIFY_FOLDER == IN_ISDIR && SL_INOTIFY_WRITTEN == IN_MODIFY && SL_INOTIFY_OVERFLOW == IN_Q_OVERFLOW && SL_INOTIFY_APPEARED == (IN_CREATE | IN_MOVED_TO) &&
                   SL_INOTIFY_MOVED_AWAY == IN_MOVED_FROM && SL_INOTIFY_IGNORED == IN_IGNORED,
               "inotify's bits");

void sl_inotify_forget(int fd, int folder) { inotify_rm_watch(fd, folder); }

int sl_socketpair(int ends[2]) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends); }

int sl_packet_pair(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends); }

int sl_connect_unix(const char *path, int milliseconds) {
    struct sockaddr_un address;
    int folder;
    if (!unix_address(path, &address, &folder)) return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Connecting waits while the other's queue is full, for as long as sending may.
    if (fd >= 0 && (sl_set_timeouts(fd, milliseconds) != 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)) fd = fail_closing(fd);
    return close_folder(folder, fd);
}

int sl_accept_same_user(int fd) {
    int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) return -1;
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return fail_closing(connection);
    if (peer.uid != geteuid()) {
        errno = EPERM;
        return fail_closing(connection);
    }
    return connection;
}

int sl_set_timeouts(int fd, int milliseconds) {
    struct timeval time = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) != 0) return -1;
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

ssize_t sl_send(int fd, const void *bytes, size_t count) { return send(fd, bytes, count, MSG_NOSIGNAL); }

ssize_t sl_send_now(int fd, const void *bytes, size_t count) { return send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT); }

ssize_t sl_receive_now(int fd, void *bytes, size_t count) { return recv(fd, bytes, count, MSG_DONTWAIT); }

void sl_stop_receiving(int fd) { shutdown(fd, SHUT_RD); }

void sl_keep_freed_memory(int bytes_max) {
    mallopt(M_MMAP_THRESHOLD, bytes_max);
    mallopt(M_TRIM_THRESHOLD, bytes_max);
}

int sl_open_beneath(int directory, const char *path, int flags, unsigned mode) {
    // struct open_how and its RESOLVE_ flags, which linux/openat2.h has and not every libc's headers.
    struct { uint64_t flags, mode, resolve; } how = {
        (uint64_t)(unsigned)(flags | O_CLOEXEC), flags & O_CREAT ? mode : 0, 0x02 /* NO_MAGICLINKS */ | 0x08 /* BENEATH */,
    };
    // EAGAIN: something was renamed meanwhile, and the kernel cannot tell whether the way stayed below.
    for (int attempt = 0;; attempt++) {
        int fd = (int)syscall(437 /* openat2 */, directory, path, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || attempt == 16) return fd;
    }
}

int sl_set_times(int fd, const struct timespec times[2]) { return utimensat(fd, "", times, AT_EMPTY_PATH); }

int sl_bytes_waiting(int fd) {
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? count : 0;
}

int sl_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

int sl_epoll_set(int epoll, int fd, bool add, uint32_t events, uint64_t mark) {
    struct epoll_event event = {.events = events, .data.u64 = mark};
    return epoll_ctl(epoll, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
}

void sl_epoll_forget(int epoll, int fd) { epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL); }

_Static_assert(SL_READABLE == EPOLLIN && SL_WRITABLE == EPOLLOUT && SL_ERROR == EPOLLERR && SL_HANGUP == EPOLLHUP && SL_PEER_ENDED == EPOLLRDHUP,
               "the kernel's numbers");

int sl_epoll_wait(int epoll, sl_ready *ready, int count, int milliseconds) {
    struct epoll_event events[SL_READY_MAX];
    const int found = epoll_wait(epoll, events, count < SL_READY_MAX ? count : SL_READY_MAX, milliseconds);
    for (int i = 0; i < found; i++) ready[i] = (sl_ready){.mark = events[i].data.u64, .events = events[i].events};
    return found;
}

int sl_accept_now(int fd) {
    const int connection = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0) return -1;
    const int one = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); // fails on a socket in the file system, which has no such delay
    return connection;
}

void sl_peer_text(int fd, char *text, size_t count) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char host[64], port[8];
    text[0] = 0;
    if (getpeername(fd, (struct sockaddr *)&address, &length) != 0) return;
    if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return;
    if (getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) return;
    snprintf(text, count, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static uint64_t big_endian(const uint8_t *bytes) {
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) number = number << 8 | bytes[i];
    return number;
}

bool sl_peer_key(int fd, uint64_t *high, uint64_t *low) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &length) != 0) return false;
    if (address.ss_family == AF_INET) {
        *high = 0;
        *low = 0xFFFFULL << 32 | ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr);
        return true;
    }
    if (address.ss_family != AF_INET6) return false;
    const uint8_t *bytes = ((struct sockaddr_in6 *)&address)->sin6_addr.s6_addr;
    *high = big_endian(bytes);
    // Mapped addresses and ::1 are below ::/64, and whole.
    *low = *high == 0 ? big_endian(bytes + 8) : 0;
    return true;
}

int64_t sl_birth_seconds(int fd) {
    struct statx status;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0 || !(status.stx_mask & STATX_BTIME)) return 0;
    return status.stx_btime.tv_sec;
}

void *sl_find(const void *bytes, size_t count, const void *pattern, size_t pattern_count) {
    return memmem(bytes, count, pattern, pattern_count);
}
