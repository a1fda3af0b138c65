// Tries to reach what is not below the folder it was given; says each time how it went.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

// By the raw interface too, since the C library looks at paths of its own.
static unsigned raw(const char *path, unsigned follow, unsigned oflags) {
    __wasi_fd_t file;
    unsigned code = __wasi_path_open(3, follow, path, oflags, 0x3fffffff, 0x3fffffff, 0, &file);
    return code == 0 ? __wasi_fd_close(file) : code;
}

int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        __wasi_filestat_t status;
        char buffer[256];
        __wasi_size_t used;
        const char *path = arguments[i];
        printf("%s: open %u, not following %u, create %u, directory %u, stat %u", path, raw(path, 1, 0), raw(path, 0, 0),
               raw(path, 1, __WASI_OFLAGS_CREAT), raw(path, 1, __WASI_OFLAGS_DIRECTORY), __wasi_path_filestat_get(3, 1, path, &status));
        printf(", mkdir %u, unlink %u, rmdir %u, rename from %u, to %u, link from %u, to %u, symlink %u, readlink %u, times %u\n",
               __wasi_path_create_directory(3, path), __wasi_path_unlink_file(3, path), __wasi_path_remove_directory(3, path),
               __wasi_path_rename(3, path, 3, "stolen"), __wasi_path_rename(3, "own", 3, path), __wasi_path_link(3, 0, path, 3, "stolen"),
               __wasi_path_link(3, 0, "own", 3, path), __wasi_path_symlink("own", 3, path),
               __wasi_path_readlink(3, path, (uint8_t *)buffer, sizeof buffer, &used),
               __wasi_path_filestat_set_times(3, 1, path, 0, 0, __WASI_FSTFLAGS_MTIM));
    }
    return 0;
}
