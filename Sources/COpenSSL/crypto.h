// What the sources of sl_crypto.h share.

#ifndef CRYPTO_H
#define CRYPTO_H

#include "sl_crypto.h"
#include <openssl/evp.h>
#include <openssl/param_build.h>

struct sl_crypto_key {
    const sl_crypto_key *self;  // tells a key from other memory
    uint32_t references;
    uint32_t kind;
    EVP_PKEY *pair;  // null for a secret
    uint32_t curve;
    uint32_t is_private;
    size_t count;
    uint8_t bytes[];  // of a secret
};

enum { digest_bytes_max = 64 };

// What is fetched by name once and kept: a fetch takes longer than a short text's digest. Null: OpenSSL has none.
const EVP_MD *sl_crypto_md(sl_crypto_hash hash);
typedef enum { mode_cbc, mode_ctr, mode_gcm, mode_wrap, modes } cipher_mode;
const EVP_CIPHER *sl_crypto_cipher(cipher_mode mode, size_t key_bytes);
EVP_MAC *sl_crypto_hmac(void);

// Takes over the pair, which may be null; null: no memory.
sl_crypto_key *sl_crypto_key_of(EVP_PKEY *pair, sl_crypto_kind kind, sl_crypto_curve curve, bool is_private);
// Takes over the builder; null: the numbers make no pair.
EVP_PKEY *sl_crypto_pair_of(const char *name, OSSL_PARAM_BLD *builder, int selection);
// Whether numbers that came from outside fit each other.
bool sl_crypto_rsa_is_sound(EVP_PKEY *pair, bool is_private);
const char *sl_crypto_curve_name(sl_crypto_curve curve);
// Bytes of a coordinate and of the order.
size_t sl_crypto_curve_bytes(sl_crypto_curve curve);

// Room for the output; false: no memory. At least one byte, so that it is never null.
bool sl_crypto_reserve(sl_crypto_output *output, size_t count);

// HMAC of two texts, one after the other.
bool sl_crypto_mac(sl_crypto_hash hash, sl_crypto_bytes key, sl_crypto_bytes first, sl_crypto_bytes second, uint8_t *result);

bool sl_crypto_run_cipher(sl_crypto_job *job);
bool sl_crypto_run_oaep(sl_crypto_job *job, bool encrypts);
bool sl_crypto_run_sign(sl_crypto_job *job);
bool sl_crypto_run_verify(sl_crypto_job *job);
bool sl_crypto_run_agree(sl_crypto_job *job);
bool sl_crypto_run_hkdf(sl_crypto_job *job);
bool sl_crypto_run_pbkdf2(sl_crypto_job *job);
bool sl_crypto_run_generate(sl_crypto_job *job);

#endif
