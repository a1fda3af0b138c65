#include "CAres.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static sl_ares functions;
static const char *trouble;
static char text[256];

static void load(void) {
    void *library = dlopen("libcares.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(text, sizeof text, "%s; install libc-ares2", dlerror());
        trouble = text;
        return;
    }
#define FIND(name)                                                                               \
    functions.name = (__typeof__(functions.name))dlsym(library, "ares_" #name);                  \
    if (functions.name == NULL) {                                                                \
        trouble = "this libcares has no ares_" #name;                                            \
        return;                                                                                  \
    }
    FIND(library_init)
    FIND(init_options)
    FIND(set_servers_ports_csv)
    FIND(query)
    FIND(getaddrinfo)
    FIND(freeaddrinfo)
    FIND(getsock)
    FIND(timeout)
    FIND(process_fd)
    FIND(cancel)
    FIND(destroy)
    FIND(strerror)
#undef FIND
    int status = functions.library_init(ARES_LIB_INIT_ALL);
    if (status != ARES_SUCCESS) trouble = functions.strerror(status);
}

const sl_ares *sl_ares_load(const char **failure) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    *failure = trouble;
    return trouble == NULL ? &functions : NULL;
}
