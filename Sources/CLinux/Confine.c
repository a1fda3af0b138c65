// What a worker may still ask of the kernel: seccomp(2) in filter mode, one list of system calls a profile. docs/fence.md
//
// The kernel remembers which calls are allowed whatever their arguments are (since 5.11), and runs no filter for those; so calls with a check of their own come first, and
// the rest lies in no order.
#include "CLinux.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

// Calls that some machines have under another name only.
#ifdef SYS_poll
#define SL_OLD_CALLS SYS_poll, SYS_epoll_wait, SYS_epoll_create, SYS_readlink, SYS_mkdir, SYS_rename, SYS_unlink, SYS_access,
#else
#define SL_OLD_CALLS
#endif

// Of both profiles: memory, threads that are there, clocks, signals of its own, and the descriptors that it has.
#define SL_COMMON_CALLS                                                                                                                              \
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_close, SYS_fstat, SYS_lseek, SYS_ppoll, SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg,       \
        SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_membarrier, SYS_futex, SYS_sched_yield, SYS_sched_getaffinity,      \
        SYS_sysinfo, SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_getrandom, SYS_getrusage,         \
        SYS_getpid, SYS_gettid, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_exit, SYS_exit_group,                 \
        SYS_set_robust_list, SYS_rseq

static const int script_calls[] = {SL_COMMON_CALLS,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_tgkill, SYS_rt_sigaction};

// Each is used by some program of Tests/EndToEnd/test_fence_inventory.py, or says there why it stands here.
static const int worker_calls[] = {SL_COMMON_CALLS, SL_OLD_CALLS
    // The event loop, and sockets that are there.
    SYS_epoll_pwait, SYS_epoll_create1, SYS_epoll_ctl, SYS_eventfd2, SYS_timerfd_create, SYS_timerfd_settime, SYS_accept4, SYS_connect, SYS_shutdown,
    SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_sendmmsg,
    // Modules, caches, and the folders of WASI: which files is Landlock's.
    SYS_openat, SYS_openat2, SYS_newfstatat, SYS_statx, SYS_readlinkat, SYS_getdents64, SYS_getcwd, SYS_pread64, SYS_preadv, SYS_preadv2, SYS_pwrite64, SYS_pwritev,
    SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_utimensat, SYS_ftruncate, SYS_fallocate, SYS_fadvise64, SYS_fsync, SYS_fdatasync,
    // What it is.
    SYS_getppid, SYS_uname};

// No program has a use for these; who asks for one is at work on the way out.
#define SL_DEADLY(X)                                                                                                                                 \
    X(execve) X(execveat) X(ptrace) X(process_vm_readv) X(process_vm_writev) X(mount) X(umount2) X(pivot_root) X(chroot) X(setns) X(unshare)          \
    X(open_by_handle_at) X(name_to_handle_at) X(bpf) X(perf_event_open) X(userfaultfd) X(io_uring_setup) X(io_uring_enter) X(io_uring_register)       \
    X(add_key) X(request_key) X(keyctl) X(init_module) X(finit_module) X(delete_module) X(kexec_load) X(reboot) X(swapon) X(swapoff) X(acct)          \
    X(quotactl) X(personality) X(clock_settime) X(clock_adjtime) X(settimeofday) X(adjtimex) X(sethostname) X(setdomainname) X(syslog)               \
    X(fanotify_init) X(pidfd_open) X(pidfd_send_signal) X(pidfd_getfd) X(kcmp) X(process_madvise) X(move_pages) X(migrate_pages) X(fsopen) X(fsconfig) \
    X(fsmount) X(fspick) X(move_mount) X(open_tree) X(memfd_create) X(vmsplice) X(setuid) X(setgid) X(setreuid) X(setregid) X(setresuid)              \
    X(setresgid) X(setgroups) X(setfsuid) X(setfsgid) X(capset) X(seccomp)

static const struct {
    int number;
    const char *name;
} deadly[] = {
#define SL_ENTRY(call) {SYS_##call, #call},
    SL_DEADLY(SL_ENTRY)
#ifdef SYS_fork
    {SYS_fork, "fork"}, {SYS_vfork, "vfork"}, {SYS_modify_ldt, "modify_ldt"}, {SYS_iopl, "iopl"}, {SYS_ioperm, "ioperm"},
#endif
#ifdef SYS_kexec_file_load
    {SYS_kexec_file_load, "kexec_file_load"},
#endif
#ifdef SYS_memfd_secret
    {SYS_memfd_secret, "memfd_secret"},
#endif
};

enum { STATEMENTS_MAX = 1024, TRAP = SECCOMP_RET_TRAP, ALLOW = SECCOMP_RET_ALLOW, REFUSE = SECCOMP_RET_ERRNO | EPERM };

typedef struct {
    struct sock_filter filter[STATEMENTS_MAX];
    unsigned short count;
} program;

static void put(program *to, uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false) {
    if (to->count < STATEMENTS_MAX) to->filter[to->count++] = (struct sock_filter){code, if_true, if_false, value};
}
static void load(program *to, size_t offset) { put(to, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }
// The low half of an argument; the kernel itself takes no more of those that are asked for.
static void load_argument(program *to, int index) { load(to, offsetof(struct seccomp_data, args) + 8 * (size_t)index); }
static void end(program *to, uint32_t action) { put(to, BPF_RET | BPF_K, action, 0, 0); }
// What was loaded equals `value`: this is the end.
static void end_if(program *to, uint32_t value, uint32_t action) {
    put(to, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    end(to, action);
}
static void end_if_any(program *to, uint32_t bits, uint32_t action) {
    put(to, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    end(to, action);
}

// Begins what is said of one call, all ways through which end; `close_call` says how it ends otherwise. The number stays loaded for the next.
static unsigned short open_call(program *to, int number) {
    put(to, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 0);
    return to->count;
}
static void close_call(program *to, unsigned short begin, uint32_t otherwise) {
    end(to, otherwise);
    to->filter[begin - 1].jf = (uint8_t)(to->count - begin);
}

static void check_sockets(program *to) {
    unsigned short begin = open_call(to, SYS_socket);
    // Sockets of the file system reach daemons that trust who reaches them.
    load_argument(to, 0);
    put(to, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
    put(to, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
    end(to, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
    // TCP and UDP only: Landlock's rules of ports hold for no other protocol, as MPTCP.
    load_argument(to, 2);
    put(to, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0);
    put(to, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 2, 0);
    put(to, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0);
    end(to, REFUSE);
    load_argument(to, 1);
    put(to, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
    end_if(to, SOCK_STREAM, ALLOW);
    end_if(to, SOCK_DGRAM, ALLOW);
    close_call(to, begin, REFUSE);

    // One end of a pair of datagrams sends to any other local socket that it names.
    begin = open_call(to, SYS_socketpair);
    load_argument(to, 0);
    put(to, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0);
    end(to, REFUSE);
    load_argument(to, 1);
    put(to, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
    end_if(to, SOCK_STREAM, ALLOW);
    end_if(to, SOCK_SEQPACKET, ALLOW);
    close_call(to, begin, REFUSE);

    // A socket that nobody has bound gets a port of its own by it, of which Landlock hears nothing. The one that is given listens already: it is told that all is well.
    begin = open_call(to, SYS_listen);
    close_call(to, begin, SECCOMP_RET_ERRNO | 0);

    begin = open_call(to, SYS_setsockopt);
    load_argument(to, 1);
    end_if(to, 0 /* IPPROTO_IP */, ALLOW);
    end_if(to, 6 /* IPPROTO_TCP */, ALLOW);
    end_if(to, 41 /* IPPROTO_IPV6 */, ALLOW);
    put(to, BPF_JMP | BPF_JEQ | BPF_K, SOL_SOCKET, 1, 0);
    end(to, REFUSE);
    load_argument(to, 2);
    // Programs for the kernel to run.
    end_if(to, 26 /* SO_ATTACH_FILTER */, REFUSE);
    end_if(to, 50 /* SO_ATTACH_BPF */, REFUSE);
    end_if(to, 51 /* SO_ATTACH_REUSEPORT_CBPF */, REFUSE);
    end_if(to, 52 /* SO_ATTACH_REUSEPORT_EBPF */, REFUSE);
    close_call(to, begin, ALLOW);
}

static void check_threads(program *to) {
    enum { THREAD = 0x100 /* CLONE_VM */ | 0x800 /* CLONE_SIGHAND */ | 0x10000 /* CLONE_THREAD */, NAMESPACES = 0x7e020080 };
    unsigned short begin = open_call(to, SYS_clone);
    load_argument(to, 0);
    end_if_any(to, NAMESPACES, TRAP);
    put(to, BPF_ALU | BPF_AND | BPF_K, THREAD, 0, 0);
    end_if(to, THREAD, ALLOW);
    close_call(to, begin, TRAP);
    // Its arguments lie in memory, where no filter looks: glibc then takes clone.
    begin = open_call(to, SYS_clone3);
    close_call(to, begin, SECCOMP_RET_ERRNO | ENOSYS);

    // A signal to another process.
    begin = open_call(to, SYS_tgkill);
    load_argument(to, 0);
    end_if(to, (uint32_t)getpid(), ALLOW);
    close_call(to, begin, REFUSE);

    // Nobody takes over what this filter leads to.
    begin = open_call(to, SYS_rt_sigaction);
    load_argument(to, 0);
    end_if(to, SIGSYS, TRAP);
    close_call(to, begin, ALLOW);
}

static void check_descriptors(program *to) {
    unsigned short begin = open_call(to, SYS_fcntl);
    load_argument(to, 1);
    const uint32_t commands[] = {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC, F_GET_SEALS};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) end_if(to, commands[i], ALLOW);
    close_call(to, begin, REFUSE);

    // TIOCSTI, for one, types on the terminal of who started us.
    begin = open_call(to, SYS_ioctl);
    load_argument(to, 1);
    const uint32_t requests[] = {TCGETS, FIONREAD, FIONBIO, TIOCGWINSZ};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) end_if(to, requests[i], ALLOW);
    close_call(to, begin, REFUSE);

    begin = open_call(to, SYS_prctl);
    load_argument(to, 0);
    end_if(to, PR_SET_NAME, ALLOW);
    end_if(to, PR_GET_NAME, ALLOW);
    close_call(to, begin, REFUSE);

    // Of this process, and to read them.
    begin = open_call(to, SYS_prlimit64);
    load_argument(to, 0);
    put(to, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    end(to, REFUSE);
    load(to, offsetof(struct seccomp_data, args) + 16 + 4);
    put(to, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    end(to, REFUSE);
    load_argument(to, 2);
    end_if(to, 0, ALLOW);
    close_call(to, begin, REFUSE);
}

static int install(program *filter, const int *allowed, size_t count, uint32_t on_deadly) {
    for (size_t i = 0; i < count; i++) end_if(filter, (uint32_t)allowed[i], ALLOW);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) end_if(filter, (uint32_t)deadly[i].number, on_deadly);
    end(filter, REFUSE);
    struct sock_fprog to_kernel = {.len = filter->count, .filter = filter->filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    long thread = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &to_kernel);
    return thread == 0 ? 0 : thread > 0 ? ESRCH : errno;
}

// False: nobody has said what this machine's calls are.
static bool begin_filter(program *filter) {
#if defined(__x86_64__)
    const uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
    const uint32_t machine = AUDIT_ARCH_AARCH64;
#else
    return false;
#endif
    filter->count = 0;
    load(filter, offsetof(struct seccomp_data, arch));
    put(filter, BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0);
    end(filter, SECCOMP_RET_KILL_PROCESS);
    load(filter, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    // The same calls under other numbers: x32.
    put(filter, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
    end(filter, SECCOMP_RET_KILL_PROCESS);
#endif
    return true;
}

int sl_confine(void) {
    // What was inherited as standard streams may be a terminal, or a log.
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3 && nothing >= 0; fd++) dup2(nothing, fd);
    if (nothing > 2) close(nothing);
    const struct {
        int resource;
        rlim_t most;
    } limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 0}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit limit = {limits[i].most, limits[i].most};
        setrlimit(limits[i].resource, &limit);
    }
    static program filter;
    if (!begin_filter(&filter)) return ENOSYS;
    return install(&filter, script_calls, sizeof script_calls / sizeof *script_calls, SECCOMP_RET_KILL_PROCESS);
}

static void (*tell_death)(const char *);

static const char *deadly_name(int number) {
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        if (deadly[i].number == number) return deadly[i].name;
    }
    // Those whose arguments decide.
    return number == SYS_clone ? "clone" : number == SYS_rt_sigaction ? "rt_sigaction" : "unknown";
}

// The call was not carried out. It has a name, the process an end: SA_RESETHAND has made SIGSYS's action the standard one again.
static void on_trap(int signal, siginfo_t *info, void *context) {
    (void)context;
    if (info->si_code == 1 /* SYS_SECCOMP */ && tell_death) tell_death(deadly_name(info->si_syscall));
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
    // Blocked or not, it does not go on.
    while (true) syscall(SYS_exit_group, 128 + signal);
}

int sl_fence_calls(void (*tell)(const char *)) {
    static program filter;
    if (!begin_filter(&filter)) return ENOSYS;
    tell_death = tell;
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER)};
    if (sigaction(SIGSYS, &action, NULL) != 0) return errno;
    check_sockets(&filter);
    check_threads(&filter);
    check_descriptors(&filter);
    return install(&filter, worker_calls, sizeof worker_calls / sizeof *worker_calls, TRAP);
}

bool sl_fence_takes_calls(void) {
    const uint32_t action = SECCOMP_RET_TRAP;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}
