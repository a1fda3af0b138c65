#include "COpenSSL.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// ---- The wire ----

static int wire_read(BIO *bio, char *bytes, size_t count, size_t *taken) {
    sl_tls_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (wire->input_count == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    *taken = count < wire->input_count ? count : wire->input_count;
    memcpy(bytes, wire->input, *taken);
    wire->input += *taken;
    wire->input_count -= *taken;
    return 1;
}

static int wire_write(BIO *bio, const char *bytes, size_t count, size_t *written) {
    sl_tls_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (wire->output_capacity - wire->output_count < count) {
        size_t capacity = wire->output_capacity < 4096 ? 4096 : wire->output_capacity;
        while (capacity - wire->output_count < count) capacity *= 2;
        uint8_t *room = realloc(wire->output, capacity);
        if (room == NULL) return 0;
        wire->output = room;
        wire->output_capacity = capacity;
    }
    memcpy(wire->output + wire->output_count, bytes, count);
    wire->output_count += count;
    *written = count;
    return 1;
}

static long wire_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *wire_method;

static void make_wire_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sidelight wire");
    if (method == NULL || !BIO_meth_set_read_ex(method, wire_read) || !BIO_meth_set_write_ex(method, wire_write) ||
        !BIO_meth_set_ctrl(method, wire_control)) {
        BIO_meth_free(method);
        return;
    }
    wire_method = method;
}

BIO *sl_tls_wire_bio(sl_tls_wire *wire) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_wire_method);
    BIO *bio = wire_method == NULL ? NULL : BIO_new(wire_method);
    if (bio == NULL) return NULL;
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    return bio;
}

// ---- The context ----

static int choose_protocol(SSL *session, const unsigned char **chosen, unsigned char *count, const unsigned char *offered,
                           unsigned int offered_count, void *nothing) {
    (void)session, (void)nothing;
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *found;
    int result = SSL_select_next_proto(&found, count, ours, sizeof ours - 1, offered, offered_count);
    *chosen = found;
    // RFC 7301 section 3.2: without one in common the handshake fails.
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

SSL_CTX *sl_tls_server_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL) return NULL;
    if (!SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) || !SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION)) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_security_level(context, 2);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return context;
}

void sl_tls_set_ticket_function(SSL_CTX *context, sl_tls_ticket_function function) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, function);
}

bool sl_tls_add_chain(SSL_CTX *context, X509 *certificate) { return SSL_CTX_add1_chain_cert(context, certificate) == 1; }
