// Forwards curl's functions to the library, which is loaded by the first of them. Each has curl's own name, so that whoever includes
// the header calls it as usual; hidden, so that libcurl's calls among its own functions never come here.
#include "CCurl.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static void *library;

static void load(void) {
    // Debian's three builds differ in the TLS library alone.
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl-nss.so.4"};
    for (size_t i = 0; library == NULL && i < sizeof names / sizeof *names; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "sidelight: %s; install libcurl4\n", dlerror());
        exit(70);
    }
}

static void *find(const char *name) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    void *function = dlsym(library, name);
    if (function == NULL) {
        fprintf(stderr, "sidelight: this libcurl is too old: %s\n", dlerror());
        exit(70);
    }
    return function;
}

// The function's address, looked up once. Two threads that look at once find the same.
#define FUNCTION(name)                                                                \
    ({                                                                                \
        static __typeof__(&name) found;                                               \
        __typeof__(&name) function = __atomic_load_n(&found, __ATOMIC_RELAXED);       \
        if (function == NULL) {                                                       \
            function = (__typeof__(&name))find(#name);                                \
            __atomic_store_n(&found, function, __ATOMIC_RELAXED);                     \
        }                                                                             \
        function;                                                                     \
    })

// curl's header hides these behind macros that check types.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

sl_curl_easy_setopt_function sl_curl_easy_setopt(void) { return FUNCTION(curl_easy_setopt); }
sl_curl_multi_setopt_function sl_curl_multi_setopt(void) { return FUNCTION(curl_multi_setopt); }
sl_curl_easy_getinfo_function sl_curl_easy_getinfo(void) { return FUNCTION(curl_easy_getinfo); }

unsigned int sl_curl_version(void) { return FUNCTION(curl_version_info)(CURLVERSION_NOW)->version_num; }

#pragma GCC visibility push(hidden)

CURLcode curl_global_init(long flags) { return FUNCTION(curl_global_init)(flags); }
CURL *curl_easy_init(void) { return FUNCTION(curl_easy_init)(); }
void curl_easy_cleanup(CURL *easy) { FUNCTION(curl_easy_cleanup)(easy); }
void curl_easy_reset(CURL *easy) { FUNCTION(curl_easy_reset)(easy); }
CURLcode curl_easy_pause(CURL *easy, int mask) { return FUNCTION(curl_easy_pause)(easy, mask); }
const char *curl_easy_strerror(CURLcode code) { return FUNCTION(curl_easy_strerror)(code); }
CURLM *curl_multi_init(void) { return FUNCTION(curl_multi_init)(); }
CURLMcode curl_multi_cleanup(CURLM *multi) { return FUNCTION(curl_multi_cleanup)(multi); }
CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy) { return FUNCTION(curl_multi_add_handle)(multi, easy); }
CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy) { return FUNCTION(curl_multi_remove_handle)(multi, easy); }
CURLMsg *curl_multi_info_read(CURLM *multi, int *rest) { return FUNCTION(curl_multi_info_read)(multi, rest); }
CURLMcode curl_multi_perform(CURLM *multi, int *running) { return FUNCTION(curl_multi_perform)(multi, running); }
CURLMcode curl_multi_wakeup(CURLM *multi) { return FUNCTION(curl_multi_wakeup)(multi); }
CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd *extra, unsigned count, int milliseconds, int *ready) {
    return FUNCTION(curl_multi_poll)(multi, extra, count, milliseconds, ready);
}
struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text) {
    return FUNCTION(curl_slist_append)(list, text);
}
void curl_slist_free_all(struct curl_slist *list) { FUNCTION(curl_slist_free_all)(list); }

#pragma GCC visibility pop
