// OpenSSL 3 as Swift can call it: libssl and libcrypto, as Debian has them.
//
// The worker links them with the program: libnode needs both, so they are mapped whether we use them or not. The agent must not: they
// would cost each of its starts 4 ms of CPU time (docs/adr/0008). So no target that `sidelight` is made of may depend on this one.
//
// The shims are provided where OpenSSL has macros that Swift does not import, and where OpenSSL wants a function of ours.

#ifndef SL_COPENSSL_H
#define SL_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include "sl_crypto.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- The wire ----

// Where the sessions of a thread take ciphertext from and put it: memory lent for one call, and memory that is sent on after it. Zeroed
// at first.
typedef struct {
    const uint8_t *_Nullable input;   // not yet taken
    size_t input_count;
    uint8_t *_Nullable output;        // of malloc
    size_t output_count;
    size_t output_capacity;
} sl_tls_wire;

// A BIO over the wire, which must outlive it. No more input means "try again". Each session has its own: while it shakes hands, OpenSSL
// chains the BIO to others. Null: no memory.
BIO *_Nullable sl_tls_wire_bio(sl_tls_wire *_Nonnull wire);

// ---- The context ----

// A context for servers: TLS 1.2 and 1.3, OpenSSL's ciphers at security level 2, no renegotiation, no sessions kept (tickets instead),
// ALPN "http/1.1", buffers released between records. Null: see OpenSSL's errors.
SSL_CTX *_Nullable sl_tls_server_context(void);

typedef int (*sl_tls_ticket_function)(SSL *_Nonnull, unsigned char *_Nonnull name, unsigned char *_Nonnull iv,
                                      EVP_CIPHER_CTX *_Nonnull, EVP_MAC_CTX *_Nonnull, int encrypts);

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3).
void sl_tls_set_ticket_function(SSL_CTX *_Nonnull context, sl_tls_ticket_function _Nonnull function);

// SSL_CTX_add1_chain_cert(3): the context has its own reference. False: see OpenSSL's errors.
bool sl_tls_add_chain(SSL_CTX *_Nonnull context, X509 *_Nonnull certificate);

// The library and the reason of an error: ERR_GET_LIB, ERR_GET_REASON.
static inline int sl_error_library(unsigned long code) { return ERR_GET_LIB(code); }
static inline int sl_error_reason(unsigned long code) { return ERR_GET_REASON(code); }

// Whether PEM text had no block of the kind that was asked for.
static inline bool sl_error_is_no_pem(unsigned long code) {
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

#endif
