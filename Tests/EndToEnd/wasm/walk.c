// Lists what lies below folders: kind, size, path, where a link leads. In the order of names.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void walk(const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, by_name);
    if (count < 0) {
        printf("! %s: %s\n", folder, strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        char path[4096], target[4096];
        snprintf(path, sizeof path, "%s/%s", folder, name);
        struct stat status;
        if (lstat(path, &status) != 0) {
            printf("! %s: %s\n", path, strerror(errno));
        } else if (S_ISDIR(status.st_mode)) {
            printf("d - %s\n", path);
            walk(path);
        } else if (S_ISLNK(status.st_mode)) {
            ssize_t length = readlink(path, target, sizeof target - 1);
            target[length < 0 ? 0 : length] = 0;
            printf("l - %s -> %s\n", path, target);
        } else {
            printf("f %lld %s\n", (long long)status.st_size, path);
        }
    }
}

int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) walk(arguments[i]);
    return 0;
}
