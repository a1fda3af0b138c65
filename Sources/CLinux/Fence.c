// The parts of a worker's fence that hold for the calling thread and those it starts: so they are put up before there is another. docs/fence.md
#include "CLinux.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

// MARK: Landlock. The header of Linux 5.10 does not know it; numbers and layouts are the kernel's, and never change.

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, RULE_PATH = 1, RULE_PORT = 2 };
enum { BIND_TCP = 1, CONNECT_TCP = 2, SCOPE_ABSTRACT_SOCKETS = 1, SCOPE_SIGNALS = 2 };
enum {
    FILE_EXECUTE = 1 << 0,
    FILE_WRITE = 1 << 1,
    FILE_READ = 1 << 2,
    FOLDER_READ = 1 << 3,
    REMOVE_FOLDER = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_FOLDER = 1 << 7,
    MAKE_FILE = 1 << 8,
    MAKE_LINK = 1 << 12,
    REFER = 1 << 13,
    TRUNCATE = 1 << 14,
};

struct ruleset {
    uint64_t files, net, scopes;
};
struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));
struct port_rule {
    uint64_t allowed, port;
};

int sl_landlock_version(void) {
    long version = syscall(CREATE_RULESET, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);
    return version < 0 ? 0 : (int)version;
}

// What each version can refuse at all.
static struct ruleset refusable(int version) {
    struct ruleset rules = {.files = (1u << 13) - 1};
    if (version >= 2) rules.files |= REFER;
    if (version >= 3) rules.files |= TRUNCATE;
    if (version >= 5) rules.files |= 1u << 15;  // ioctl(2) of devices
    if (version >= 4) rules.net = BIND_TCP | CONNECT_TCP;
    if (version >= 6) rules.scopes = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
    return rules;
}

// A path that is not there is no loss: nothing can be made there either.
static int allow_path(int ruleset, const char *path, uint64_t rights) {
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return 0;
    struct stat status;
    // The kernel takes no rights of folders for what is none.
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode)) rights &= FILE_WRITE | FILE_READ | TRUNCATE;
    struct path_rule rule = {rights, fd};
    int result = syscall(ADD_RULE, ruleset, RULE_PATH, &rule, 0) == 0 ? 0 : errno;
    close(fd);
    return result;
}

static int allow(int ruleset, const struct ruleset *refused, const sl_landlock *places) {
    int result = 0;
    const uint64_t reading = (FILE_READ | FOLDER_READ) & refused->files;
    const uint64_t writing = refused->files & (FILE_READ | FOLDER_READ | FILE_WRITE | REMOVE_FOLDER | REMOVE_FILE | MAKE_FOLDER | MAKE_FILE | MAKE_LINK | REFER | TRUNCATE);
    for (int i = 0; i < places->read_count && result == 0; i++) result = allow_path(ruleset, places->read[i], reading);
    for (int i = 0; i < places->write_count && result == 0; i++) result = allow_path(ruleset, places->write[i], writing);
    for (int i = 0; i < places->port_count && result == 0 && refused->net & CONNECT_TCP; i++) {
        struct port_rule rule = {CONNECT_TCP, places->ports[i]};
        if (syscall(ADD_RULE, ruleset, RULE_PORT, &rule, 0) != 0) result = errno;
    }
    return result;
}

int sl_landlock_restrict(const sl_landlock *places) {
    const int version = sl_landlock_version();
    if (version == 0) return ENOSYS;
    struct ruleset refused = refusable(version);
    if (places->port_count < 0) refused.net &= BIND_TCP;
    // Longer than an old kernel knows is well, for what it does not know is 0 then.
    int ruleset = (int)syscall(CREATE_RULESET, &refused, sizeof refused, 0);
    if (ruleset < 0) return errno;
    int result = allow(ruleset, &refused, places);
    if (result == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(RESTRICT_SELF, ruleset, 0) != 0)) result = errno;
    close(ruleset);
    return result;
}

// MARK: the process

int sl_fence_limits(uint64_t descriptors_max) {
    // No memory in core dumps, none locked, no queues, no real time.
    const int none[] = {RLIMIT_CORE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_RTPRIO};
    int result = 0;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct rlimit limit = {0, 0};
        if (setrlimit(none[i], &limit) != 0) result = errno;
    }
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return errno;
    if (files.rlim_max > descriptors_max) files.rlim_max = descriptors_max;
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files) == 0 ? result : errno;
}

int sl_fence_descriptors(unsigned first) {
    return syscall(SYS_close_range, first, ~0u, 0) == 0 ? 0 : errno;
}

int sl_fence_capabilities(uint64_t kept) {
    // Not by this process, nor by what it would start. Who may not give them up has none that count.
    for (int capability = 0; capability < 64; capability++) {
        if (!(kept >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) break;
    }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return errno;
    for (int i = 0; i < 2; i++) {
        const uint32_t half = (uint32_t)(kept >> (32 * i));
        data[i].effective &= half;
        data[i].permitted &= half;
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

// Whoever becomes another user, or gains rights, is told of its parent's death no more: the kernel forgets the signal (prctl(2), PR_SET_PDEATHSIG).
typedef struct {
    int signal;
    pid_t parent;
} death_notice;

static death_notice take_death_notice(void) {
    death_notice notice = {0, getppid()};
    if (prctl(PR_GET_PDEATHSIG, &notice.signal) != 0) notice.signal = 0;
    return notice;
}

static int renew_death_notice(death_notice notice) {
    if (notice.signal == 0) return 0;
    if (prctl(PR_SET_PDEATHSIG, notice.signal) != 0) return errno;
    // It may have died meanwhile, and nobody would tell us.
    return getppid() == notice.parent ? 0 : ESRCH;
}

int sl_fence_user(uint32_t user, uint32_t group) {
    death_notice notice = take_death_notice();
    if (setgroups(1, &group) != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0) return errno;
    return renew_death_notice(notice);
}

static int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    int result = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : errno;
    close(fd);
    return result;
}

int sl_fence_namespaces(bool net, bool ipc) {
    const int flags = (net ? CLONE_NEWNET : 0) | (ipc ? CLONE_NEWIPC : 0);
    if (flags == 0 || unshare(flags) == 0) return 0;
    if (errno != EPERM) return errno;
    // Whoever has a user namespace of its own may have the others.
    death_notice notice = take_death_notice();
    const unsigned user = geteuid(), group = getegid();
    if (unshare(CLONE_NEWUSER | flags) != 0) return errno;
    char map[64];
    (void)write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", user, user);
    int result = write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "%u %u 1", group, group);
    if (result == 0) result = write_file("/proc/self/gid_map", map);
    return result != 0 ? result : renew_death_notice(notice);
}

bool sl_is_admin(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    return syscall(SYS_capget, &header, data) == 0 && data[0].effective >> 21 & 1;
}

bool sl_fence_takes_namespaces(void) {
    if (geteuid() == 0) return access("/proc/self/ns/net", F_OK) == 0;
    return access("/proc/self/ns/user", F_OK) == 0;
}
