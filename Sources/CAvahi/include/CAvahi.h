// Avahi as Swift can call it. The only Swift owner is the target `Registries`.
//
// The libraries, and with them D-Bus, are loaded when the first instance is to be published and not with the program: hardly any agent needs them.

#ifndef SL_CAVAHI_H
#define SL_CAVAHI_H

#include <avahi-client/client.h>
#include <avahi-client/publish.h>
#include <avahi-common/error.h>
#include <avahi-common/simple-watch.h>
#include <avahi-common/strlst.h>

// Their functions, by their own names without `avahi_`.
typedef struct {
    __typeof__(&avahi_simple_poll_new) _Nonnull simple_poll_new;
    __typeof__(&avahi_simple_poll_get) _Nonnull simple_poll_get;
    __typeof__(&avahi_simple_poll_iterate) _Nonnull simple_poll_iterate;
    __typeof__(&avahi_simple_poll_wakeup) _Nonnull simple_poll_wakeup;
    __typeof__(&avahi_simple_poll_free) _Nonnull simple_poll_free;
    __typeof__(&avahi_string_list_add_arbitrary) _Nonnull string_list_add_arbitrary;
    __typeof__(&avahi_string_list_free) _Nonnull string_list_free;
    __typeof__(&avahi_strerror) _Nonnull strerror;
    __typeof__(&avahi_client_new) _Nonnull client_new;
    __typeof__(&avahi_client_free) _Nonnull client_free;
    __typeof__(&avahi_client_errno) _Nonnull client_errno;
    __typeof__(&avahi_client_get_state) _Nonnull client_get_state;
    __typeof__(&avahi_entry_group_new) _Nonnull entry_group_new;
    __typeof__(&avahi_entry_group_free) _Nonnull entry_group_free;
    __typeof__(&avahi_entry_group_add_service_strlst) _Nonnull entry_group_add_service_strlst;
    __typeof__(&avahi_entry_group_commit) _Nonnull entry_group_commit;
} sl_avahi;

// Loaded by the first call; NULL, and why in `failure` (valid for ever), when that cannot be. Any thread.
const sl_avahi *_Nullable sl_avahi_load(const char *_Nullable *_Nonnull failure);

#endif
