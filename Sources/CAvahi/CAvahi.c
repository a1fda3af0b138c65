#include "CAvahi.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static sl_avahi functions;
static const char *trouble;
static char text[256];

static void load(void) {
    // It brings libavahi-common with it, where half of these functions are.
    void *library = dlopen("libavahi-client.so.3", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(text, sizeof text, "%s; install libavahi-client3", dlerror());
        trouble = text;
        return;
    }
#define FIND(name)                                                                               \
    functions.name = (__typeof__(functions.name))dlsym(library, "avahi_" #name);                 \
    if (functions.name == NULL) {                                                                \
        trouble = "this libavahi-client has no avahi_" #name;                                    \
        return;                                                                                  \
    }
    FIND(simple_poll_new)
    FIND(simple_poll_get)
    FIND(simple_poll_iterate)
    FIND(simple_poll_wakeup)
    FIND(simple_poll_free)
    FIND(string_list_add_arbitrary)
    FIND(string_list_free)
    FIND(strerror)
    FIND(client_new)
    FIND(client_free)
    FIND(client_errno)
    FIND(client_get_state)
    FIND(entry_group_new)
    FIND(entry_group_free)
    FIND(entry_group_add_service_strlst)
    FIND(entry_group_commit)
#undef FIND
}

const sl_avahi *sl_avahi_load(const char **failure) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    *failure = trouble;
    return trouble == NULL ? &functions : NULL;
}
