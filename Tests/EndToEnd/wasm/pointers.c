// Hands the host pointers, lengths, descriptors and flags that make no sense; prints each answer. Nothing of it may harm the host.
#include <stdint.h>
#include <stdio.h>
#include <wasi/api.h>

#define IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
int raw_fd_write(int, int, int, int) IMPORT(fd_write);
int raw_fd_read(int, int, int, int) IMPORT(fd_read);
int raw_fd_pread(int, int, int, long long, int) IMPORT(fd_pread);
int raw_fd_pwrite(int, int, int, long long, int) IMPORT(fd_pwrite);
int raw_args_get(int, int) IMPORT(args_get);
int raw_args_sizes_get(int, int) IMPORT(args_sizes_get);
int raw_environ_get(int, int) IMPORT(environ_get);
int raw_random_get(int, int) IMPORT(random_get);
int raw_clock_time_get(int, long long, int) IMPORT(clock_time_get);
int raw_clock_res_get(int, int) IMPORT(clock_res_get);
int raw_poll_oneoff(int, int, int, int) IMPORT(poll_oneoff);
int raw_fd_fdstat_get(int, int) IMPORT(fd_fdstat_get);
int raw_fd_filestat_get(int, int) IMPORT(fd_filestat_get);
int raw_fd_prestat_get(int, int) IMPORT(fd_prestat_get);
int raw_fd_prestat_dir_name(int, int, int) IMPORT(fd_prestat_dir_name);
int raw_fd_readdir(int, int, int, long long, int) IMPORT(fd_readdir);
int raw_fd_seek(int, long long, int, int) IMPORT(fd_seek);
int raw_fd_tell(int, int) IMPORT(fd_tell);
int raw_fd_allocate(int, long long, long long) IMPORT(fd_allocate);
int raw_fd_advise(int, long long, long long, int) IMPORT(fd_advise);
int raw_fd_filestat_set_size(int, long long) IMPORT(fd_filestat_set_size);
int raw_fd_fdstat_set_flags(int, int) IMPORT(fd_fdstat_set_flags);
int raw_fd_fdstat_set_rights(int, long long, long long) IMPORT(fd_fdstat_set_rights);
int raw_fd_renumber(int, int) IMPORT(fd_renumber);
int raw_fd_close(int) IMPORT(fd_close);
int raw_path_open(int, int, int, int, int, long long, long long, int, int) IMPORT(path_open);
int raw_path_filestat_get(int, int, int, int, int) IMPORT(path_filestat_get);
int raw_path_readlink(int, int, int, int, int, int) IMPORT(path_readlink);
int raw_path_create_directory(int, int, int) IMPORT(path_create_directory);
int raw_path_symlink(int, int, int, int, int) IMPORT(path_symlink);
int raw_path_rename(int, int, int, int, int, int) IMPORT(path_rename);
int raw_sock_recv(int, int, int, int, int, int) IMPORT(sock_recv);
int raw_sock_shutdown(int, int) IMPORT(sock_shutdown);
int raw_proc_raise(int) IMPORT(proc_raise);

static int vector[2];
static char bytes[4096];

int main(void) {
    int end = (int)(__builtin_wasm_memory_size(0) * 65536);
    const int bad[] = {end, end - 1, end - 3, end + 1, -1, -4, -8, 0x7fffffff, (int)0x80000000};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        int p = bad[i];
        printf("%u:", i);
#define SAY(call) printf(" %d", call)
        SAY(raw_fd_write(1, p, 1, (int)bytes));
        vector[0] = p, vector[1] = 16;
        SAY(raw_fd_write(1, (int)vector, 1, (int)bytes));
        SAY(raw_fd_read(0, (int)vector, 1, (int)bytes));
        vector[0] = (int)bytes, vector[1] = -1;
        SAY(raw_fd_write(1, (int)vector, 1, (int)bytes));
        SAY(raw_fd_write(1, (int)vector, -1, (int)bytes));
        vector[1] = 0;
        SAY(raw_fd_write(1, (int)vector, 1, p));
        SAY(raw_fd_read(0, (int)vector, 1, p));
        SAY(raw_args_get(p, (int)bytes));
        SAY(raw_args_get((int)bytes, p));
        SAY(raw_args_sizes_get(p, p));
        SAY(raw_environ_get(p, p));
        SAY(raw_random_get(p, 64));
        SAY(raw_random_get((int)bytes, p < 0 ? p : end));
        SAY(raw_clock_time_get(0, 0, p));
        SAY(raw_clock_res_get(0, p));
        SAY(raw_poll_oneoff(p, (int)bytes, 1, (int)bytes));
        SAY(raw_poll_oneoff((int)bytes, p, 1, (int)bytes));
        SAY(raw_poll_oneoff((int)bytes, (int)bytes, -1, (int)bytes));
        SAY(raw_fd_fdstat_get(1, p));
        SAY(raw_fd_filestat_get(1, p));
        SAY(raw_fd_prestat_get(3, p));
        SAY(raw_fd_prestat_dir_name(3, p, 64));
        SAY(raw_fd_readdir(3, p, 64, 0, (int)bytes));
        SAY(raw_fd_readdir(3, (int)bytes, 64, 0, p));
        SAY(raw_path_open(3, 0, p, 16, 0, 0, 0, 0, (int)bytes));
        SAY(raw_path_open(3, 0, (int)"own", 3, 0, 2, 0, 0, p));
        SAY(raw_path_open(3, 0, (int)"own", -1, 0, 2, 0, 0, (int)bytes));
        SAY(raw_path_filestat_get(3, 0, (int)"own", 3, p));
        SAY(raw_path_readlink(3, (int)"soft", 4, p, 16, (int)bytes));
        SAY(raw_path_readlink(3, (int)"soft", 4, (int)bytes, 16, p));
        SAY(raw_path_create_directory(3, p, 16));
        SAY(raw_path_symlink(p, 16, 3, (int)"new", 3));
        SAY(raw_path_rename(3, (int)"own", 3, 3, p, 16));
        printf("\n");
    }
    const int strange[] = {-1, 4, 1024, 0x7fffffff, (int)0x80000000};
    for (unsigned i = 0; i < sizeof strange / sizeof *strange; i++) {
        int fd = strange[i];
        printf("descriptor %u:", i);
        vector[0] = (int)bytes, vector[1] = 1;
        SAY(raw_fd_write(fd, (int)vector, 1, (int)bytes));
        SAY(raw_fd_read(fd, (int)vector, 1, (int)bytes));
        SAY(raw_fd_close(fd));
        SAY(raw_fd_renumber(fd, 1));
        SAY(raw_fd_renumber(1, fd));
        SAY(raw_fd_seek(fd, 0, 0, (int)bytes));
        SAY(raw_path_open(fd, 0, (int)"own", 3, 0, 2, 0, 0, (int)bytes));
        SAY(raw_sock_recv(fd, 0, 0, 0, 0, 0));
        SAY(raw_fd_readdir(fd, (int)bytes, 64, 0, (int)bytes));
        printf("\n");
    }
    int file = -1;
    printf("values:");
    SAY(raw_path_open(3, 0, (int)"own", 3, 0, 0x3fffffff, 0, 0, (int)&file));
    SAY(raw_fd_seek(file, -1, 0, (int)bytes));
    SAY(raw_fd_seek(file, 0, 3, (int)bytes));
    SAY(raw_fd_seek(file, (long long)1 << 63, 1, (int)bytes));
    SAY(raw_fd_pread(file, (int)vector, 1, -1, (int)bytes));
    SAY(raw_fd_pwrite(file, (int)vector, 1, (long long)1 << 63, (int)bytes));
    SAY(raw_fd_allocate(file, -1, 1));
    SAY(raw_fd_allocate(file, 0, 0));
    SAY(raw_fd_advise(file, 0, 0, 6));
    SAY(raw_fd_filestat_set_size(file, -1));
    SAY(raw_fd_fdstat_set_flags(file, 32));
    SAY(raw_fd_fdstat_set_rights(file, -1, 0));
    SAY(raw_fd_fdstat_set_rights(file, 2, 0));
    SAY(raw_fd_pwrite(file, (int)vector, 1, 0, (int)bytes));
    SAY(raw_fd_tell(file, (int)bytes));
    SAY(raw_clock_time_get(4, 0, (int)bytes));
    SAY(raw_poll_oneoff((int)bytes, (int)bytes, 0, (int)bytes));
    SAY(raw_path_open(3, 0, (int)"a\0b", 3, 0, 2, 0, 0, (int)&file));
    SAY(raw_path_open(3, 0, (int)"\xff\xfe", 2, 0, 2, 0, 0, (int)&file));
    SAY(raw_path_open(3, 0, (int)"", 0, 0, 2, 0, 0, (int)&file));
    SAY(raw_path_open(3, 0, (int)bytes, 4097 > end ? 0 : 4096, 0, 2, 0, 0, (int)&file));
    SAY(raw_path_open(3, 0, (int)"own", 3, 16, 2, 0, 0, (int)&file));
    SAY(raw_path_open(3, 0, (int)"own", 3, 0, 2, 0, 32, (int)&file));
    SAY(raw_sock_shutdown(1, 0));
    SAY(raw_proc_raise(9));
    printf("\n");
    return 0;
}
