// c-ares as Swift can call it. The only Swift owner is the target `Resolver`.
//
// The library is loaded when the first service is looked for and not with the program: most agents have fixed endpoints, and need no libcares at all.

#ifndef SL_CARES_H
#define SL_CARES_H

#include <ares.h>
#include <netinet/in.h>

// Its functions, by their own names without `ares_`.
typedef struct {
    __typeof__(&ares_library_init) _Nonnull library_init;
    __typeof__(&ares_init_options) _Nonnull init_options;
    __typeof__(&ares_set_servers_ports_csv) _Nonnull set_servers_ports_csv;
    __typeof__(&ares_query) _Nonnull query;
    __typeof__(&ares_getaddrinfo) _Nonnull getaddrinfo;
    __typeof__(&ares_freeaddrinfo) _Nonnull freeaddrinfo;
    __typeof__(&ares_getsock) _Nonnull getsock;
    __typeof__(&ares_timeout) _Nonnull timeout;
    __typeof__(&ares_process_fd) _Nonnull process_fd;
    __typeof__(&ares_cancel) _Nonnull cancel;
    __typeof__(&ares_destroy) _Nonnull destroy;
    __typeof__(&ares_strerror) _Nonnull strerror;
} sl_ares;

// Loaded and initialised by the first call; NULL, and why in `failure` (valid for ever), when that cannot be. Any thread.
const sl_ares *_Nullable sl_ares_load(const char *_Nullable *_Nonnull failure);

#endif
