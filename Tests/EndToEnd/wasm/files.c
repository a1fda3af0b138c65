// Does everything to files below its first argument that a program can, and says what came of it.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *said(int result) { return result < 0 ? strerror(errno) : "done"; }
static char path[8][4096];
static const char *below(int slot, const char *folder, const char *name) {
    snprintf(path[slot], sizeof path[slot], "%s/%s", folder, name);
    return path[slot];
}

int main(int count, char **arguments) {
    const char *folder = arguments[1];
    char buffer[64] = {0};
    struct stat status;
    int file = open(below(0, folder, "new.txt"), O_CREAT | O_EXCL | O_RDWR, 0644);
    printf("create %s\n", said(file));
    printf("again %s\n", said(open(path[0], O_CREAT | O_EXCL | O_RDWR, 0644)));
    printf("write %zd\n", write(file, "hello, world", 12));
    printf("seek %lld\n", (long long)lseek(file, 7, SEEK_SET));
    printf("read %zd %s\n", read(file, buffer, 5), buffer);
    printf("pwrite %zd\n", pwrite(file, "WORLD", 5, 7));
    memset(buffer, 0, sizeof buffer);
    printf("pread %zd %s\n", pread(file, buffer, 20, 0), buffer);
    printf("end %lld\n", (long long)lseek(file, 0, SEEK_END));
    printf("truncate %s\n", said(ftruncate(file, 5)));
    printf("size %d %lld\n", fstat(file, &status), (long long)status.st_size);
    printf("sync %s\n", said(fsync(file)));
    struct timespec times[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
    printf("times %s\n", said(futimens(file, times)));
    printf("modified %d %lld %ld\n", fstat(file, &status), (long long)status.st_mtim.tv_sec, (long)status.st_mtim.tv_nsec);
    printf("close %s\n", said(close(file)));
    printf("close again %s\n", said(close(file)));
    file = open(path[0], O_WRONLY | O_APPEND);
    printf("append %zd\n", write(file, "!", 1));
    printf("read of a writer %s\n", said((int)read(file, buffer, 1)));
    close(file);
    file = open(path[0], O_RDONLY);
    printf("write of a reader %s\n", said((int)write(file, "x", 1)));
    memset(buffer, 0, sizeof buffer);
    printf("content %zd %s\n", read(file, buffer, sizeof buffer), buffer);
    close(file);
    printf("mkdir %s\n", said(mkdir(below(1, folder, "sub"), 0755)));
    printf("mkdir again %s\n", said(mkdir(path[1], 0755)));
    printf("rename %s\n", said(rename(path[0], below(2, folder, "sub/moved.txt"))));
    printf("gone %s\n", said(stat(path[0], &status)));
    printf("link %s\n", said(link(path[2], below(3, folder, "hard.txt"))));
    printf("links %d %d\n", stat(path[3], &status), (int)status.st_nlink);
    printf("symlink %s\n", said(symlink("sub/moved.txt", below(4, folder, "soft.txt"))));
    memset(buffer, 0, sizeof buffer);
    printf("readlink %zd %s\n", readlink(path[4], buffer, sizeof buffer), buffer);
    printf("through it %d %lld\n", stat(path[4], &status), (long long)status.st_size);
    printf("rmdir %s\n", said(rmdir(path[1])));
    printf("unlink folder %s\n", said(unlink(path[1])));
    printf("unlink %s %s %s\n", said(unlink(path[2])), said(unlink(path[3])), said(unlink(path[4])));
    printf("rmdir %s\n", said(rmdir(path[1])));
    printf("open nothing %s\n", said(open(path[0], O_RDONLY)));
    printf("open folder %s\n", said(open(folder, O_WRONLY)));
    return 0;
}
