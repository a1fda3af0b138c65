// Keys and what is done with them, as Web Cryptography has it, over OpenSSL's EVP. Provided because EVP's parameter lists, callbacks and
// half of its calls are macros and structures of C.
//
// All functions may be called on any thread. Bytes are lent for the call. Errors are not told apart: what OpenSSL says of them goes nowhere, since
// it tells an attacker more than the program.

#ifndef SL_CRYPTO_H
#define SL_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- Keys ----

// A secret, or one half of a pair. Never changed once made. Its memory is one block, so that it can lie in an ArrayBuffer.
typedef struct sl_crypto_key sl_crypto_key;

typedef enum { SL_CRYPTO_SECRET, SL_CRYPTO_RSA, SL_CRYPTO_EC, SL_CRYPTO_ED25519, SL_CRYPTO_X25519 } sl_crypto_kind;
typedef enum { SL_CRYPTO_P256 = 1, SL_CRYPTO_P384, SL_CRYPTO_P521 } sl_crypto_curve;
// RAW is a public key's; SEED is what a private key of Curve25519 is made of, or a secret's bytes.
typedef enum { SL_CRYPTO_SPKI, SL_CRYPTO_PKCS8, SL_CRYPTO_RAW, SL_CRYPTO_SEED } sl_crypto_format;
// Numbers of a key as JWK has them: RSA's n e d p q dp dq qi; x y d of an elliptic curve. In this order where an array has them all.
typedef enum { SL_CRYPTO_N, SL_CRYPTO_E, SL_CRYPTO_D, SL_CRYPTO_P, SL_CRYPTO_Q, SL_CRYPTO_DP, SL_CRYPTO_DQ, SL_CRYPTO_QI, SL_CRYPTO_X, SL_CRYPTO_Y } sl_crypto_part;
#define SL_CRYPTO_RSA_PARTS 8

typedef struct {
    const uint8_t *_Nullable start;
    size_t count;
} sl_crypto_bytes;

// What a function made, of OPENSSL_malloc; sl_crypto_output_free overwrites it first.
typedef struct {
    uint8_t *_Nullable start;
    size_t count;
} sl_crypto_output;
void sl_crypto_output_free(sl_crypto_output output);

// The key in this memory; null: it is none.
sl_crypto_key *_Nullable sl_crypto_key_at(void *_Nullable memory, size_t count);
size_t sl_crypto_key_size(const sl_crypto_key *_Nonnull key);
sl_crypto_kind sl_crypto_key_kind(const sl_crypto_key *_Nonnull key);
// Of the modulus, the curve's field, or the secret.
size_t sl_crypto_key_bits(const sl_crypto_key *_Nonnull key);
bool sl_crypto_key_is_private(const sl_crypto_key *_Nonnull key);
void sl_crypto_key_retain(sl_crypto_key *_Nonnull key);
// The last one overwrites what is secret.
void sl_crypto_key_release(sl_crypto_key *_Nonnull key);

// Each of these gives a key with one reference; null: they are no such key, or there is no memory.
sl_crypto_key *_Nullable sl_crypto_key_secret(sl_crypto_bytes bytes);
// `bits`: those beyond them in the last byte are 0.
sl_crypto_key *_Nullable sl_crypto_key_random(size_t bits);
// Nothing may follow the key. A point must be on its curve, a private key fit its public one.
sl_crypto_key *_Nullable sl_crypto_key_decode(sl_crypto_kind kind, sl_crypto_curve curve, sl_crypto_format format, sl_crypto_bytes bytes);
// Public: n and e only.
sl_crypto_key *_Nullable sl_crypto_key_rsa(const sl_crypto_bytes parts[_Nonnull SL_CRYPTO_RSA_PARTS]);
// A private key of a curve: its scalar or seed, and the public key as RAW.
sl_crypto_key *_Nullable sl_crypto_key_private(sl_crypto_kind kind, sl_crypto_curve curve, sl_crypto_bytes point, sl_crypto_bytes scalar);
// The public half of a private key.
sl_crypto_key *_Nullable sl_crypto_key_public(const sl_crypto_key *_Nonnull key);

// False: the key has no such form.
bool sl_crypto_key_encode(const sl_crypto_key *_Nonnull key, sl_crypto_format format, sl_crypto_output *_Nonnull output);
bool sl_crypto_key_part(const sl_crypto_key *_Nonnull key, sl_crypto_part part, sl_crypto_output *_Nonnull output);

// ---- Jobs ----

typedef enum { SL_CRYPTO_SHA1 = 1, SL_CRYPTO_SHA256, SL_CRYPTO_SHA384, SL_CRYPTO_SHA512, SL_CRYPTO_SHA3_256, SL_CRYPTO_SHA3_384, SL_CRYPTO_SHA3_512 } sl_crypto_hash;

typedef enum {
    SL_CRYPTO_DIGEST,        // of data
    SL_CRYPTO_HMAC,          // of data
    SL_CRYPTO_GCM_ENCRYPT,   // iv, extra: additional data, number: bytes of the tag, which follows the text
    SL_CRYPTO_GCM_DECRYPT,
    SL_CRYPTO_CBC_ENCRYPT,   // iv
    SL_CRYPTO_CBC_DECRYPT,
    SL_CRYPTO_CTR,           // iv: the first counter block, number: its bits that count
    SL_CRYPTO_WRAP,          // RFC 3394
    SL_CRYPTO_UNWRAP,
    SL_CRYPTO_OAEP_ENCRYPT,  // hash, extra: the label
    SL_CRYPTO_OAEP_DECRYPT,
    SL_CRYPTO_PKCS1_SIGN,    // hash
    SL_CRYPTO_PKCS1_VERIFY,  // hash, extra: the signature
    SL_CRYPTO_PSS_SIGN,      // hash, number: bytes of the salt
    SL_CRYPTO_PSS_VERIFY,
    SL_CRYPTO_ECDSA_SIGN,    // hash; r and s, as wide as the curve's order
    SL_CRYPTO_ECDSA_VERIFY,
    SL_CRYPTO_EDDSA_SIGN,
    SL_CRYPTO_EDDSA_VERIFY,
    SL_CRYPTO_AGREE,         // with other, a public key of the same curve
    SL_CRYPTO_HKDF,          // hash, iv: the salt, extra: the info, length
    SL_CRYPTO_PBKDF2,        // hash, iv: the salt, number: iterations, length
    SL_CRYPTO_GENERATE_RSA,  // number: bits of the modulus, data: the exponent
    SL_CRYPTO_GENERATE,      // number: the kind, curve
    SL_CRYPTO_OPERATIONS,    // how many there are
} sl_crypto_operation;

typedef struct {
    sl_crypto_operation operation;
    sl_crypto_hash hash;
    sl_crypto_curve curve;
    uint64_t number;
    size_t length;  // bytes wanted
    sl_crypto_key *_Nullable key;
    sl_crypto_key *_Nullable other;
    sl_crypto_bytes data, iv, extra;
    // Not 0: nobody waits any more. sl_crypto_cancel sets it. Null: cannot be.
    const uint8_t *_Nullable cancelled;
    // What came of it.
    sl_crypto_output output;
    bool is_valid;  // of a signature
    sl_crypto_key *_Nullable made;  // a private key, with one reference
} sl_crypto_job;

// False: the operation fails, or was cancelled; then nothing was made. The caller checks nothing beforehand but that key and other are there
// where they are needed.
bool sl_crypto_run(sl_crypto_job *_Nonnull job);
void sl_crypto_cancel(uint8_t *_Nonnull cancelled);
bool sl_crypto_is_cancelled(const uint8_t *_Nullable cancelled);

// Iterations of PBKDF2, in compressions of the hash, that the job takes; 0 for all other operations.
uint64_t sl_crypto_job_rounds(const sl_crypto_job *_Nonnull job);

#endif
