// What Swift cannot say of Linux: acquire/release access to shared memory, and calls that Glibc's Swift module lacks.
// Prefix: sl_. No state here.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline uint32_t sl_load_acquire_u32(const void *_Nonnull at) {
    return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
}
static inline void sl_store_release_u32(void *_Nonnull at, uint32_t value) {
    __atomic_store_n((uint32_t *)at, value, __ATOMIC_RELEASE);
}
// Orders every earlier store before every later load of this thread (the sleeping handshake of the ring). An exchange, since
// ThreadSanitizer does not understand stand-alone fences.
static inline void sl_exchange_u32(void *_Nonnull at, uint32_t value) {
    __atomic_exchange_n((uint32_t *)at, value, __ATOMIC_SEQ_CST);
}
static inline void sl_add_u32(void *_Nonnull at, uint32_t value) {
    __atomic_fetch_add((uint32_t *)at, value, __ATOMIC_RELAXED);
}

// Cells of the board (docs/specs/board-format.md): one thread writes, another looks at any time, so every access is atomic; on x86 and arm64
// these are plain loads and stores.
static inline uint64_t sl_load_relaxed_u64(const void *_Nonnull at) {
    return __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED);
}
static inline void sl_store_relaxed_u64(void *_Nonnull at, uint64_t value) {
    __atomic_store_n((uint64_t *)at, value, __ATOMIC_RELAXED);
}
static inline uint64_t sl_load_acquire_u64(const void *_Nonnull at) {
    return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}
static inline void sl_store_release_u64(void *_Nonnull at, uint64_t value) {
    __atomic_store_n((uint64_t *)at, value, __ATOMIC_RELEASE);
}
// Copies words that another thread may be changing; each arrives whole. Both addresses are 8-aligned.
static inline void sl_copy_words(void *_Nonnull to, const void *_Nonnull from, size_t words) {
    for (size_t i = 0; i < words; i++) ((uint64_t *)to)[i] = __atomic_load_n((const uint64_t *)from + i, __ATOMIC_ACQUIRE);
}

// Maps a whole file shared; null and errno.
static inline void *_Nullable sl_shared_map(int fd, size_t bytes) {
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return base == MAP_FAILED ? NULL : base;
}

// memfd_create with sealing allowed; -1 and errno.
static inline int sl_memfd(const char *_Nonnull name) {
    return (int)syscall(SYS_memfd_create, name, 1u | 2u /* MFD_CLOEXEC | MFD_ALLOW_SEALING */);
}
// Nobody can shrink, grow or further seal the file: a worker cannot make the agent fault by truncating it.
static inline int sl_memfd_seal_size(int fd) {
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

// Nobody can map the file for writing any more, nor write(2) to it, but mappings that are there go on; nor shrink, grow or further seal it.
static inline int sl_memfd_seal_writes(int fd) {
    return fcntl(fd, F_ADD_SEALS, 0x0010 /* F_SEAL_FUTURE_WRITE */ | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}
// Maps a whole file shared, for reading; null and errno.
static inline const void *_Nullable sl_shared_view(int fd, size_t bytes) {
    void *base = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    return base == MAP_FAILED ? NULL : base;
}
// These pages are in no core dump.
static inline void sl_keep_out_of_dumps(const void *_Nonnull at, size_t bytes) { madvise((void *)at, bytes, MADV_DONTDUMP); }

// Maps [header][data][data again] of a ring that begins at `offset` in a file; null and errno.
static inline void *_Nullable sl_ring_map(int fd, size_t offset, size_t header, size_t data) {
    char *base = (char *)mmap(NULL, header + 2 * data, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == (char *)MAP_FAILED) return NULL;
    if (mmap(base, header + data, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, (off_t)offset) == MAP_FAILED ||
        mmap(base + header + data, data, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, (off_t)(offset + header)) ==
            MAP_FAILED) {
        int saved = errno;
        munmap(base, header + 2 * data);
        errno = saved;
        return NULL;
    }
    return base;
}

// Gives the pages of a part of a memfd back: it reads as zeros from then on. -1 and errno.
static inline int sl_memfd_forget(int fd, size_t offset, size_t bytes) {
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes);
}

// Provided because the constants are negative macros, which Swift does not import.
void sl_keep_freed_memory(int bytes_max);

// Where the pattern is first; null: nowhere. Provided because memmem(3) is an extension that Swift does not see.
void *_Nullable sl_find(const void *_Nonnull bytes, size_t count, const void *_Nonnull pattern, size_t pattern_count);
// Gives the kernel back what the start has mapped of code; what is still needed of it comes back with its first use.
void sl_release_start_pages(void);

// getdents64(2): entries of an open folder, as many as fit; 0 at the end, -1 and errno. Provided because opendir(3) allocates.
static inline long sl_folder_entries(int fd, void *_Nonnull entries, size_t bytes) { return syscall(SYS_getdents64, fd, entries, bytes); }

// The kernel's number of this thread.
static inline int sl_thread_id(void) { return (int)syscall(SYS_gettid); }

static inline int sl_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
static inline int sl_pidfd_send_signal(int pidfd, int signal) { return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0); }

// 0 where there is no such clock any more: that of a thread that has ended.
static inline uint64_t sl_clock_nanoseconds(clockid_t clock) {
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// "KILL" for 9; null for what is no signal.
const char *_Nullable sl_signal_abbreviation(int signal);
// "ENOENT" for 2; null for what is no error.
const char *_Nullable sl_error_name(int code);

// A non-blocking eventfd, count 0; -1 and errno.
int sl_eventfd(void);
// read(2) that never blocks, whatever flags another holder of the descriptor has set.
ssize_t sl_read_now(int fd, void *_Nonnull bytes, size_t count);

// A non-blocking signalfd for these signals, which the caller has blocked; -1 and errno.
int sl_signalfd(const sigset_t *_Nonnull signals);
typedef struct {
    int number;
    bool from_kernel;   // the terminal driver, for one; else a process asked for it
    pid_t sender;       // 0 when from_kernel
} sl_signal;
// False: none waits.
bool sl_signalfd_next(int fd, sl_signal *_Nonnull signal);

typedef struct {
    const char *_Nonnull executable;                 // a path; PATH is not searched
    char *_Nullable const *_Nonnull arguments;       // null-terminated, the program's name first
    char *_Nullable const *_Nonnull environment;     // null-terminated
    const int *_Nonnull descriptors;                 // becomes 3, 4, ... of the child; every other one above 2 is closed at exec
    int descriptor_count;                            // at most SL_SPAWN_DESCRIPTORS_MAX
    int streams[3];                                  // become its standard input, output and error, and are above 2; -1: it has the caller's
    int parent_death_signal;                         // sent to the child when the calling *thread* ends
    bool own_group;                                  // of its own process group: the terminal's signals do not reach it
    bool own_pids;                                   // the first process of a PID namespace; needs CAP_SYS_ADMIN
} sl_spawn_request;
enum { SL_SPAWN_DESCRIPTORS_MAX = 10 };

// Starts a child with the signal mask empty and every signal that is not ignored at its default; SIGPIPE is never ignored. Returns
// its pid once exec has succeeded; -1 and errno when it did not. The caller stands still meanwhile (vfork): about a
// tenth of what fork costs, since no page table is copied.
pid_t sl_spawn(const sl_spawn_request *_Nonnull request);

typedef struct {
    uint16_t port;                    // that was bound
    int tried;                        // addresses of the host
    char last[64];                    // the last that failed, as numbers
    const char *_Nullable not_known;  // why the host has no address
} sl_listen_result;

// A non-blocking listening TCP socket with SO_REUSEADDR, closed at exec; -1 and errno, or `not_known`. The host is a name or an address; of
// its addresses the first that can be listened on is taken, and errno is of the last. Port 0 lets the system choose.
int sl_listen_tcp(const char *_Nonnull host, uint16_t port, int backlog, sl_listen_result *_Nonnull result);
// The same for a socket in the file system, whose folder may have a path of any length. One that nobody listens on any more is replaced.
int sl_listen_unix(const char *_Nonnull path, int backlog);

// Sockets for datagrams, non-blocking, closed at exec, with room for about so many bytes if the system allows them; -1 and errno, or `not_known`.
int sl_bind_udp(const char *_Nonnull host, uint16_t port, int buffer_bytes, sl_listen_result *_Nonnull result);
int sl_bind_unix_datagram(const char *_Nonnull path, int buffer_bytes);
typedef struct {
    uint32_t count;  // bytes that were taken
    bool is_cut;     // there were more
} sl_datagram;
// Takes what is there, at most `count` and SL_DATAGRAMS_MAX datagrams, each to its own `each` bytes of `memory`. `dropped`: what the kernel had no room
// for since the socket was made, where it tells. How many were taken; -1 and errno.
int sl_receive_datagrams(int fd, void *_Nonnull memory, size_t each, sl_datagram *_Nonnull datagrams, int count, uint32_t *_Nonnull dropped);
enum { SL_DATAGRAMS_MAX = 32 };
// A peer that is gone without a word is found out within some minutes. Nothing happens to a socket that is not TCP's.
void sl_keep_alive(int fd);
// A named pipe, made (mode 0660) where there is none, for reading; non-blocking, closed at exec. -1 and errno, EEXIST for what is no pipe. `is_new` is set
// in any case: whether it was made.
int sl_open_fifo(const char *_Nonnull path, bool *_Nonnull is_new);
// Another end of this named pipe, for writing, wherever its path leads now; non-blocking, closed at exec. -1 and errno.
int sl_open_fifo_writer(int fd);
// pipe(2), closed at exec.
int sl_pipe(int ends[_Nonnull 2]);
int sl_set_nonblocking(int fd);

// Two connected stream sockets, blocking, closed at exec; -1 and errno.
int sl_socketpair(int ends[_Nonnull 2]);
// The same that keep the bounds of what is sent: each send is one receive.
int sl_packet_pair(int ends[_Nonnull 2]);
// A blocking connection to a socket in the file system, with these timeouts from the start; -1 and errno.
int sl_connect_unix(const char *_Nonnull path, int milliseconds);
// Accepts a connection of a process of our own user, blocking; -1 and errno, EPERM for another user's.
int sl_accept_same_user(int fd);
// How long receiving and sending may block; -1 and errno.
int sl_set_timeouts(int fd, int milliseconds);
// send(2) that raises no SIGPIPE.
ssize_t sl_send(int fd, const void *_Nonnull bytes, size_t count);
// The same and recv(2) without waiting; -1 and EAGAIN.
ssize_t sl_send_now(int fd, const void *_Nonnull bytes, size_t count);
ssize_t sl_receive_now(int fd, void *_Nonnull bytes, size_t count);
// What the other end sends from now on fails there.
void sl_stop_receiving(int fd);

// inotify(7), non-blocking, closed at exec; -1 and errno. What it tells is read(2) as struct inotify_event.
int sl_inotify(void);
// Watches what happens to the entries of a folder; its number, or -1 and errno.
int sl_inotify_watch(int fd, const char *_Nonnull folder);
// The same, and each write to an entry; not the closing of one.
int sl_inotify_watch_writes(int fd, const char *_Nonnull folder);
// Watches it no more; `folder` is its number.
void sl_inotify_forget(int fd, int folder);
enum {
    SL_INOTIFY_HEADER_BYTES = 16,
    SL_INOTIFY_FOLDER = 0x40000000,   // IN_ISDIR
    SL_INOTIFY_WRITTEN = 0x2,         // IN_MODIFY
    SL_INOTIFY_OVERFLOW = 0x4000,     // IN_Q_OVERFLOW
    SL_INOTIFY_APPEARED = 0x100 | 0x80,  // IN_CREATE, IN_MOVED_TO
    SL_INOTIFY_MOVED_AWAY = 0x40,        // IN_MOVED_FROM
    SL_INOTIFY_IGNORED = 0x8000,         // IN_IGNORED: the number means nothing any more
};

// openat2(2) below `directory` and nowhere else: neither "..", nor an absolute path, nor a symbolic or magic link leads out of it (EXDEV, ELOOP). The
// result is closed at exec. -1 and errno; ENOSYS before Linux 5.6.
int sl_open_beneath(int directory, const char *_Nonnull path, int flags, unsigned mode);
// Sets the times of what an O_PATH descriptor stands for.
int sl_set_times(int fd, const struct timespec times[_Nonnull 2]);
// How many bytes a read would find; 0 when that cannot be told.
int sl_bytes_waiting(int fd);
// Provided because Swift does not import them.
enum { SL_O_PATH = 010000000, SL_O_DIRECTORY = O_DIRECTORY, SL_O_NOFOLLOW = O_NOFOLLOW, SL_UTIME_NOW = 0x3fffffff, SL_UTIME_OMIT = 0x3ffffffe };

// epoll(7), level-triggered, closed at exec; -1 and errno.
int sl_epoll(void);
// Watches `fd` (`add`), or watches it for something else: SL_READABLE and SL_WRITABLE and SL_PEER_ENDED; error and hang-up are always told. `mark` comes
// back with what is told. -1 and errno.
int sl_epoll_set(int epoll, int fd, bool add, uint32_t events, uint64_t mark);
void sl_epoll_forget(int epoll, int fd);
typedef struct {
    uint64_t mark;
    uint32_t events;
} sl_ready;
// At most `count` and SL_READY_MAX of what is ready; negative milliseconds wait without end. -1 and errno.
int sl_epoll_wait(int epoll, sl_ready *_Nonnull ready, int count, int milliseconds);
enum { SL_READABLE = 0x1, SL_WRITABLE = 0x4, SL_ERROR = 0x8, SL_HANGUP = 0x10, SL_PEER_ENDED = 0x2000, SL_READY_MAX = 64 };
// The next connection, non-blocking, closed at exec, without Nagle's delay where it is TCP; -1 and errno.
int sl_accept_now(int fd);
// The other end's IP address as 128 bits, of which an IPv6 address has its upper half and an IPv4 address is mapped; false: it has none.
bool sl_peer_key(int fd, uint64_t *_Nonnull high, uint64_t *_Nonnull low);
// The other end's address as numbers, `host:port`; empty for a socket in the file system or a connection that is over.
void sl_peer_text(int fd, char *_Nonnull text, size_t count);
// When an open file was made, in seconds since 1970; 0 when its file system does not say.
int64_t sl_birth_seconds(int fd);
// openat(2), which Swift does not import, for it takes any number of arguments; -1 and errno.
static inline int sl_open_at(int directory, const char *_Nonnull name, int flags, unsigned mode) {
    return openat(directory, name, flags, mode);
}

// Of this process and all its threads, for good: no file can be opened or grow, no socket, process or core dump made, and no other process reached. What it holds
// open it can use. Returns 0, or errno where the kernel takes no filter; the resource limits hold all the same.
int sl_confine(void);

// The fence around a worker of `run` and `serve`: docs/fence.md. Each returns 0, or errno where the part cannot be.
// First those that hold for the calling thread and what it starts: to be called while there is no other.

// 0: this kernel has none.
int sl_landlock_version(void);
typedef struct {
    const char *_Nonnull const *_Nonnull read;   // folders and files; "/" is everything
    const char *_Nonnull const *_Nonnull write;  // and read
    const uint16_t *_Nonnull ports;              // that connections may go to
    int read_count, write_count;
    int port_count;                              // negative: any port
} sl_landlock;
// As much of it as the kernel knows: no other file is opened, no port is listened on, nothing outside is reached by signals or abstract sockets, and nothing executed.
int sl_landlock_restrict(const sl_landlock *_Nonnull places);
int sl_fence_limits(uint64_t descriptors_max);
// Closes this descriptor and all above it.
int sl_fence_descriptors(unsigned first);
// All but these, by bit.
int sl_fence_capabilities(uint64_t kept);
int sl_fence_user(uint32_t user, uint32_t group);
int sl_fence_namespaces(bool net, bool ipc);
bool sl_fence_takes_namespaces(void);
// Whether this process has CAP_SYS_ADMIN.
bool sl_is_admin(void);

// Of all threads, for good: the calls of worker_calls alone. Who asks for one that only somebody on the way out asks for ends by SIGSYS, `tell` having got its name, in
// a signal handler; the others fail with EPERM.
int sl_fence_calls(void (*_Nullable tell)(const char *_Nonnull name));
bool sl_fence_takes_calls(void);

// memrchr(3), which Swift does not import.
const void *_Nullable sl_last_byte(const void *_Nonnull bytes, int byte, size_t count);

// CRC-32C (Castagnoli) of bytes that follow those whose checksum is `crc`; 0 to begin with. With the processor's instruction where it has one.
uint32_t sl_crc32c(uint32_t crc, const void *_Nonnull bytes, size_t count);
// The same without it.
uint32_t sl_crc32c_portable(uint32_t crc, const void *_Nonnull bytes, size_t count);
