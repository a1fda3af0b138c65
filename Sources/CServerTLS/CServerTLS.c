#include "CServerTLS.h"
#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// ---- The library ----

// Every function of OpenSSL that is called here; its macros lead to these.
#define FUNCTIONS(X)                                                                                                       \
    X(ASN1_TIME_to_tm) X(BIO_ctrl) X(BIO_free) X(BIO_new) X(BIO_new_mem_buf) X(BIO_read) X(BIO_s_mem) X(BIO_write)          \
    X(ERR_clear_error) X(ERR_peek_last_error) X(ERR_reason_error_string) X(EVP_PKEY_free) X(PEM_read_bio_PrivateKey)        \
    X(PEM_read_bio_X509) X(SSL_CTX_add_client_CA) X(SSL_CTX_check_private_key) X(SSL_CTX_ctrl) X(SSL_CTX_free)              \
    X(SSL_CTX_get_cert_store) X(SSL_CTX_new) X(SSL_CTX_set_alpn_select_cb) X(SSL_CTX_set_num_tickets) X(SSL_CTX_set_options)                           \
    X(SSL_CTX_set_security_level) X(SSL_CTX_set_session_id_context) X(SSL_CTX_set_verify) X(SSL_CTX_use_PrivateKey)         \
    X(SSL_CTX_use_certificate) X(SSL_CTX_get0_certificate) X(SSL_free) X(SSL_get1_peer_certificate) X(SSL_get_error)        \
    X(SSL_is_init_finished) X(SSL_new) X(SSL_read) X(SSL_select_next_proto) X(SSL_set_accept_state) X(SSL_set_bio)          \
    X(SSL_shutdown) X(SSL_write) X(TLS_server_method) X(X509_NAME_get_text_by_NID) X(X509_STORE_add_cert) X(X509_free)      \
    X(X509_get0_notAfter) X(X509_get_subject_name)

#define POINTER(name) static __typeof__(name) *p_##name;
FUNCTIONS(POINTER)

static char library_problem[256];
static bool is_loaded;

static void load(void) {
    // Its symbols include those of libcrypto, which it needs.
    void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *why = dlerror();
        snprintf(library_problem, sizeof library_problem, "%s; install libssl3", why == NULL ? "no libssl.so.3" : why);
        return;
    }
#define FIND(name)                                                                                \
    p_##name = (__typeof__(p_##name))dlsym(library, #name);                                       \
    if (p_##name == NULL) {                                                                       \
        snprintf(library_problem, sizeof library_problem, "this libssl has no %s", #name);        \
        return;                                                                                   \
    }
    FUNCTIONS(FIND)
    is_loaded = true;
}

// ---- The context ----

struct sl_server_tls {
    SSL_CTX *context;
};

static void blame(sl_tls_problem *problem, sl_tls_source source, const char *text) {
    const char *reason = NULL;
    if (is_loaded) {
        unsigned long code = p_ERR_peek_last_error();
        if (code != 0) reason = p_ERR_reason_error_string(code);
        p_ERR_clear_error();
    }
    problem->source = source;
    snprintf(problem->text, sizeof problem->text, reason == NULL ? "%s" : "%s: %s", text, reason);
}

// RFC 7301. A client that offers neither is left alone: which HTTP it speaks is told by its first bytes.
static int choose_protocol(SSL *session, const unsigned char **chosen, unsigned char *count, const unsigned char *offered,
                           unsigned int offered_count, void *nothing) {
    (void)session, (void)nothing;
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *found;
    int result = p_SSL_select_next_proto(&found, count, ours, sizeof ours - 1, offered, offered_count);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static BIO *bio_of(sl_tls_text text) {
    static const char nothing[] = "";
    return p_BIO_new_mem_buf(text.count == 0 ? nothing : text.bytes, (int)text.count);
}

static const int chain_max = 16;

static bool use_certificates(SSL_CTX *context, sl_tls_text text, sl_tls_problem *problem) {
    BIO *bio = bio_of(text);
    if (bio == NULL) return false;
    bool is_good = true;
    int count = 0;
    X509 *certificate;
    while (is_good && count <= chain_max && (certificate = p_PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        is_good = count == 0 ? p_SSL_CTX_use_certificate(context, certificate) == 1
                             : p_SSL_CTX_ctrl(context, SSL_CTRL_CHAIN_CERT, 1, certificate) == 1;
        if (!is_good) blame(problem, SL_TLS_FROM_CERTIFICATE, "it cannot be used");
        p_X509_free(certificate);
        count++;
    }
    p_BIO_free(bio);
    if (!is_good) return false;
    if (count > chain_max) {
        p_ERR_clear_error();
        blame(problem, SL_TLS_FROM_CERTIFICATE, "it has more than 16 certificates");
        return false;
    }
    // The end of the text is an error to it, too.
    unsigned long code = p_ERR_peek_last_error();
    bool is_whole = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    if (is_whole) p_ERR_clear_error();
    if (!is_whole) blame(problem, SL_TLS_FROM_CERTIFICATE, "one of its certificates cannot be read");
    else if (count == 0) blame(problem, SL_TLS_FROM_CERTIFICATE, "there is no PEM certificate in it (-----BEGIN CERTIFICATE-----)");
    return is_whole && count > 0;
}

// Nobody is asked on a terminal.
static int no_passphrase(char *room, int count, int writes, void *is_encrypted) {
    (void)room, (void)count, (void)writes;
    *(bool *)is_encrypted = true;
    return -1;
}

static bool use_key(SSL_CTX *context, sl_tls_text text, sl_tls_problem *problem) {
    BIO *bio = bio_of(text);
    if (bio == NULL) return false;
    bool is_encrypted = false;
    EVP_PKEY *key = p_PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &is_encrypted);
    p_BIO_free(bio);
    if (key == NULL) {
        if (is_encrypted) p_ERR_clear_error();
        blame(problem, SL_TLS_FROM_KEY,
              is_encrypted ? "it is encrypted; decrypt it first: openssl pkey -in FILE -out NEW" : "there is no PEM private key in it");
        return false;
    }
    bool is_used = p_SSL_CTX_use_PrivateKey(context, key) == 1;
    p_EVP_PKEY_free(key);
    if (!is_used || p_SSL_CTX_check_private_key(context) != 1) {
        p_ERR_clear_error();
        blame(problem, SL_TLS_FROM_KEY, "it is not the key of the certificate");
        return false;
    }
    return true;
}

static bool use_authority(SSL_CTX *context, sl_tls_text text, sl_tls_problem *problem) {
    BIO *bio = bio_of(text);
    if (bio == NULL) return false;
    int count = 0;
    bool is_good = true;
    X509 *certificate;
    while (is_good && count < 256 && (certificate = p_PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        is_good = p_X509_STORE_add_cert(p_SSL_CTX_get_cert_store(context), certificate) == 1 &&
                  p_SSL_CTX_add_client_CA(context, certificate) == 1;
        p_X509_free(certificate);
        count++;
    }
    p_BIO_free(bio);
    if (is_good && count > 0) {
        p_ERR_clear_error();
        // A session that another context has begun must not be resumed here.
        static const unsigned char name[] = "sidelight";
        p_SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
        p_SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        return true;
    }
    blame(problem, SL_TLS_FROM_AUTHORITY,
          is_good ? "there is no PEM certificate in it (-----BEGIN CERTIFICATE-----)" : "one of its certificates cannot be used");
    return false;
}

sl_server_tls *sl_server_tls_make(sl_tls_text certificates, sl_tls_text key, sl_tls_text authority, sl_tls_problem *problem) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!is_loaded) {
        blame(problem, SL_TLS_FROM_LIBRARY, library_problem);
        return NULL;
    }
    p_ERR_clear_error();
    blame(problem, SL_TLS_FROM_LIBRARY, "no memory for TLS");
    SSL_CTX *context = p_SSL_CTX_new(p_TLS_server_method());
    sl_server_tls *made = context == NULL ? NULL : malloc(sizeof *made);
    if (made == NULL) {
        if (context != NULL) p_SSL_CTX_free(context);
        return NULL;
    }
    made->context = context;
    p_SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
    p_SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, TLS1_3_VERSION, NULL);
    p_SSL_CTX_set_security_level(context, 2);
    p_SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                       SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_TICKET);
    p_SSL_CTX_ctrl(context, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, NULL);
    // Nothing is resumed: connections of senders and of scrapers live long.
    p_SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, NULL);
    p_SSL_CTX_set_num_tickets(context, 0);
    p_SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (use_certificates(context, certificates, problem) && use_key(context, key, problem) &&
        (authority.bytes == NULL || use_authority(context, authority, problem)))
        return made;
    sl_server_tls_free(made);
    return NULL;
}

void sl_server_tls_free(sl_server_tls *context) {
    p_SSL_CTX_free(context->context);
    free(context);
}

int64_t sl_server_tls_not_after(const sl_server_tls *context) {
    X509 *certificate = p_SSL_CTX_get0_certificate(context->context);
    struct tm end = {0};
    if (certificate == NULL || p_ASN1_TIME_to_tm(p_X509_get0_notAfter(certificate), &end) != 1) return 0;
    return timegm(&end);
}

// ---- The session ----

struct sl_tls_session {
    SSL *session;
    BIO *input, *output;  // the session's
    bool has_failed;
    sl_tls_stranger stranger;
};

sl_tls_session *sl_tls_session_make(sl_server_tls *context) {
    sl_tls_session *made = calloc(1, sizeof *made);
    if (made == NULL) return NULL;
    made->session = p_SSL_new(context->context);
    made->input = p_BIO_new(p_BIO_s_mem());
    made->output = p_BIO_new(p_BIO_s_mem());
    if (made->session == NULL || made->input == NULL || made->output == NULL) {
        if (made->session != NULL) p_SSL_free(made->session);
        p_BIO_free(made->input);
        p_BIO_free(made->output);
        free(made);
        p_ERR_clear_error();
        return NULL;
    }
    // No more input for now is no end of it.
    p_BIO_ctrl(made->input, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, NULL);
    p_SSL_set_bio(made->session, made->input, made->output);
    p_SSL_set_accept_state(made->session);
    return made;
}

void sl_tls_session_free(sl_tls_session *session) {
    p_SSL_free(session->session);
    free(session);
}

bool sl_tls_session_receive(sl_tls_session *session, const void *bytes, size_t count) {
    return p_BIO_write(session->input, bytes, (int)count) == (int)count;
}

ptrdiff_t sl_tls_session_read(sl_tls_session *session, void *room, size_t count) {
    if (session->has_failed) return -2;
    p_ERR_clear_error();
    int taken = p_SSL_read(session->session, room, count > INT32_MAX ? INT32_MAX : (int)count);
    if (taken > 0) return taken;
    int error = p_SSL_get_error(session->session, taken);
    unsigned long code = p_ERR_peek_last_error();
    p_ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) return 0;
    if (error == SSL_ERROR_ZERO_RETURN) return -1;
    session->has_failed = true;
    if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
        int reason = ERR_GET_REASON(code);
        if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) session->stranger = SL_TLS_WITHOUT_CERTIFICATE;
        if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) session->stranger = SL_TLS_WRONG_CERTIFICATE;
    }
    return -2;
}

sl_tls_stranger sl_tls_session_stranger(const sl_tls_session *session) { return session->stranger; }

bool sl_tls_session_write(sl_tls_session *session, const void *bytes, size_t count) {
    if (session->has_failed || !sl_tls_session_is_open(session)) return false;
    const char *rest = bytes;
    while (count > 0) {
        p_ERR_clear_error();
        int written = p_SSL_write(session->session, rest, count > 1 << 20 ? 1 << 20 : (int)count);
        if (written <= 0) {
            session->has_failed = true;
            p_ERR_clear_error();
            return false;
        }
        rest += written;
        count -= (size_t)written;
    }
    return true;
}

void sl_tls_session_close(sl_tls_session *session) {
    if (session->has_failed || !sl_tls_session_is_open(session)) return;
    p_ERR_clear_error();
    p_SSL_shutdown(session->session);
    p_ERR_clear_error();
}

size_t sl_tls_session_take(sl_tls_session *session, void *room, size_t count) {
    int taken = p_BIO_read(session->output, room, count > INT32_MAX ? INT32_MAX : (int)count);
    return taken > 0 ? (size_t)taken : 0;
}

bool sl_tls_session_is_open(const sl_tls_session *session) { return p_SSL_is_init_finished(session->session) == 1; }

void sl_tls_session_client(const sl_tls_session *session, char *name, size_t count) {
    name[0] = 0;
    X509 *certificate = p_SSL_get1_peer_certificate(session->session);
    if (certificate == NULL) return;
    if (p_X509_NAME_get_text_by_NID(p_X509_get_subject_name(certificate), NID_commonName, name, (int)count) < 0) name[0] = 0;
    p_X509_free(certificate);
    for (char *byte = name; *byte != 0; byte++)
        if (*byte < 0x20 || *byte > 0x7E) *byte = '?';
}
