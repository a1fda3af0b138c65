// What a worker that runs somebody's script may still ask of the kernel: seccomp(2) in filter mode.
#include "CLinux.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/resource.h>

// Memory, threads that are there, clocks, signals of its own, and the descriptors that it has. What is not here fails with EPERM: V8 and glibc get on without.
static const int allowed[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_close, SYS_fstat, SYS_lseek, SYS_ppoll, SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_membarrier, SYS_futex, SYS_sched_yield, SYS_sched_getaffinity, SYS_sysinfo,
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_getrandom, SYS_getrusage, SYS_getpid, SYS_gettid, SYS_tgkill,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_exit, SYS_exit_group, SYS_set_robust_list,
#ifdef SYS_rseq
    SYS_rseq,
#endif
};

enum { ALLOWED_COUNT = sizeof allowed / sizeof *allowed };

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
#if defined(__x86_64__)
    const uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
    const uint32_t machine = AUDIT_ARCH_AARCH64;
#else
    const uint32_t machine = 0;
#endif
    struct sock_filter filter[ALLOWED_COUNT + 8];
    unsigned short count = 0;
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0);
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < ALLOWED_COUNT; i++) {
        // On a match over the rest, and over the refusal, to the last statement.
        filter[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed[i], (uint8_t)(ALLOWED_COUNT - i), 0);
    }
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = count, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    long thread = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    return thread == 0 ? 0 : thread > 0 ? ESRCH : errno;
}
