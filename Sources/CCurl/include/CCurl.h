// libcurl as Swift can call it. The only Swift owner is the target `Transport`.
//
// libcurl is loaded at the first call and not with the program (CCurl.c): its thirty libraries cost every start 8 ms of CPU time,
// and most runs have no backend to talk to.
//
// The wrappers are provided because Swift cannot call C functions with variable arguments (curl_easy_setopt and its like). One
// function for each type of argument; the caller picks the right one for the option, as curl's own type checks would demand.

#ifndef SL_CCURL_H
#define SL_CCURL_H

#include <curl/curl.h>
#include <pthread.h>

// Provided because glibc shows it only with _GNU_SOURCE. `name` has at most 15 bytes.
extern int pthread_setname_np(pthread_t thread, const char *_Nonnull name);

typedef CURLcode (*sl_curl_easy_setopt_function)(CURL *_Nonnull, CURLoption, ...);
typedef CURLMcode (*sl_curl_multi_setopt_function)(CURLM *_Nonnull, CURLMoption, ...);
typedef CURLcode (*sl_curl_easy_getinfo_function)(CURL *_Nonnull, CURLINFO, ...);
sl_curl_easy_setopt_function _Nonnull sl_curl_easy_setopt(void);
sl_curl_multi_setopt_function _Nonnull sl_curl_multi_setopt(void);
sl_curl_easy_getinfo_function _Nonnull sl_curl_easy_getinfo(void);

static inline CURLcode sl_curl_set_long(CURL *_Nonnull easy, CURLoption option, long value) {
    return sl_curl_easy_setopt()(easy, option, value);
}

static inline CURLcode sl_curl_set_offset(CURL *_Nonnull easy, CURLoption option, curl_off_t value) {
    return sl_curl_easy_setopt()(easy, option, value);
}

// curl copies the text, except where its documentation says otherwise (we use no such option).
static inline CURLcode sl_curl_set_text(CURL *_Nonnull easy, CURLoption option, const char *_Nullable text) {
    return sl_curl_easy_setopt()(easy, option, text);
}

// The pointer must stay valid until the transfer is over or the option is set anew.
static inline CURLcode sl_curl_set_pointer(CURL *_Nonnull easy, CURLoption option, void *_Nullable pointer) {
    return sl_curl_easy_setopt()(easy, option, pointer);
}

static inline CURLcode sl_curl_set_headers(CURL *_Nonnull easy, struct curl_slist *_Nullable headers) {
    return sl_curl_easy_setopt()(easy, CURLOPT_HTTPHEADER, headers);
}

// The list must stay valid until the transfer is over.
static inline CURLcode sl_curl_set_list(CURL *_Nonnull easy, CURLoption option, struct curl_slist *_Nullable list) {
    return sl_curl_easy_setopt()(easy, option, list);
}

static inline CURLcode sl_curl_set_write_function(CURL *_Nonnull easy, CURLoption option, curl_write_callback _Nullable call) {
    return sl_curl_easy_setopt()(easy, option, call);
}

static inline CURLcode sl_curl_set_read_function(CURL *_Nonnull easy, curl_read_callback _Nullable call) {
    return sl_curl_easy_setopt()(easy, CURLOPT_READFUNCTION, call);
}

static inline CURLcode sl_curl_set_seek_function(CURL *_Nonnull easy, curl_seek_callback _Nullable call) {
    return sl_curl_easy_setopt()(easy, CURLOPT_SEEKFUNCTION, call);
}

static inline CURLcode sl_curl_set_open_socket_function(CURL *_Nonnull easy, curl_opensocket_callback _Nullable call) {
    return sl_curl_easy_setopt()(easy, CURLOPT_OPENSOCKETFUNCTION, call);
}

static inline CURLcode sl_curl_set_socket_option_function(CURL *_Nonnull easy, curl_sockopt_callback _Nullable call) {
    return sl_curl_easy_setopt()(easy, CURLOPT_SOCKOPTFUNCTION, call);
}

static inline CURLcode sl_curl_set_before_request_function(CURL *_Nonnull easy, curl_prereq_callback _Nullable call) {
    return sl_curl_easy_setopt()(easy, CURLOPT_PREREQFUNCTION, call);
}

// 0x075801 for 7.88.1.
unsigned int sl_curl_version(void);

static inline CURLMcode sl_curl_multi_set_long(CURLM *_Nonnull multi, CURLMoption option, long value) {
    return sl_curl_multi_setopt()(multi, option, value);
}

static inline long sl_curl_response_code(CURL *_Nonnull easy) {
    long code = 0;
    sl_curl_easy_getinfo()(easy, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

// Microseconds since the transfer began; 0: the phase did not happen. For CURLINFO_…_TIME_T.
static inline curl_off_t sl_curl_time(CURL *_Nonnull easy, CURLINFO info) {
    curl_off_t microseconds = 0;
    sl_curl_easy_getinfo()(easy, info, &microseconds);
    return microseconds;
}

static inline long sl_curl_info_long(CURL *_Nonnull easy, CURLINFO info) {
    long value = 0;
    sl_curl_easy_getinfo()(easy, info, &value);
    return value;
}

// Valid until the handle is used for another transfer.
static inline const char *_Nullable sl_curl_peer_address(CURL *_Nonnull easy) {
    char *address = NULL;
    sl_curl_easy_getinfo()(easy, CURLINFO_PRIMARY_IP, &address);
    return address;
}

// Valid until the handle is used for another transfer.
static inline const char *_Nullable sl_curl_effective_url(CURL *_Nonnull easy) {
    char *url = NULL;
    sl_curl_easy_getinfo()(easy, CURLINFO_EFFECTIVE_URL, &url);
    return url;
}

// Of a message whose kind is CURLMSG_DONE; provided because Swift does not see into the union well.
static inline CURLcode sl_curl_message_result(const CURLMsg *_Nonnull message) { return message->data.result; }

#endif
