// Signatures: RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017), ECDSA (FIPS 186-5, r and s as IEEE P1363 has them), Ed25519 (RFC 8032).

#include "crypto.h"
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

// False: it cannot be done with this key.
static bool set_padding(const sl_crypto_job *job, EVP_PKEY_CTX *context) {
    switch (job->operation) {
        case SL_CRYPTO_PKCS1_SIGN:
        case SL_CRYPTO_PKCS1_VERIFY: return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
        case SL_CRYPTO_PSS_SIGN:
        case SL_CRYPTO_PSS_VERIFY:
            return job->number <= INT32_MAX && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(context, (int)job->number) == 1;
        default: return true;
    }
}

// The hash is null for Ed25519, which has its own.
static bool get_hash(const sl_crypto_job *job, const EVP_MD **md) {
    if (job->key->kind == SL_CRYPTO_ED25519) {
        *md = NULL;
        return true;
    }
    *md = sl_crypto_md(job->hash);
    return *md != NULL;
}

// From DER to r and s.
static bool flatten(sl_crypto_job *job, const uint8_t *der, size_t count) {
    size_t width = sl_crypto_curve_bytes(job->key->curve);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)count);
    if (signature == NULL) return false;
    bool done = sl_crypto_reserve(&job->output, 2 * width) &&
                BN_bn2binpad(ECDSA_SIG_get0_r(signature), job->output.start, (int)width) == (int)width &&
                BN_bn2binpad(ECDSA_SIG_get0_s(signature), job->output.start + width, (int)width) == (int)width;
    ECDSA_SIG_free(signature);
    return done;
}

bool sl_crypto_run_sign(sl_crypto_job *job) {
    const EVP_MD *md;
    EVP_MD_CTX *context = get_hash(job, &md) ? EVP_MD_CTX_new() : NULL;
    if (context == NULL) return false;
    EVP_PKEY_CTX *parameters = NULL;
    uint8_t *made = NULL;
    size_t count = (size_t)EVP_PKEY_get_size(job->key->pair);
    size_t room = count;
    bool done = EVP_DigestSignInit(context, &parameters, md, NULL, job->key->pair) == 1 && set_padding(job, parameters) &&
                (made = OPENSSL_malloc(room)) != NULL && EVP_DigestSign(context, made, &count, job->data.start, job->data.count) == 1;
    EVP_MD_CTX_free(context);
    if (done && job->key->kind == SL_CRYPTO_EC) {
        done = flatten(job, made, count);
    } else if (done) {
        done = sl_crypto_reserve(&job->output, count);
        if (done) memcpy(job->output.start, made, count);
    }
    OPENSSL_clear_free(made, room);
    return done;
}

// From r and s to DER; null: they are not as wide as the curve has them.
static uint8_t *unflatten(const sl_crypto_job *job, size_t *count) {
    size_t width = sl_crypto_curve_bytes(job->key->curve);
    if (job->extra.count != 2 * width) return NULL;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(job->extra.start, (int)width, NULL), *s = BN_bin2bn(job->extra.start + width, (int)width, NULL);
    if (signature == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(signature, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(signature);
        return NULL;
    }
    uint8_t *der = NULL;
    int length = i2d_ECDSA_SIG(signature, &der);
    ECDSA_SIG_free(signature);
    *count = length > 0 ? (size_t)length : 0;
    return length > 0 ? der : NULL;
}

// Whether a point of Curve25519 is of small order, in any of its encodings (https://wicg.github.io/webcrypto-secure-curves/#ed25519-operations):
// what such a key or R has signed holds for more than one text.
static bool has_small_order(const uint8_t point[32]) {
    static const uint8_t known[7][32] = {
        {0x00},
        {0x01},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
         0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
         0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    };
    for (int i = 0; i < 7; i++) {
        if (memcmp(point, known[i], 31) == 0 && (point[31] & 0x7f) == known[i][31]) return true;
    }
    return false;
}

static bool is_sound_eddsa(const sl_crypto_job *job) {
    uint8_t point[32];
    size_t count = sizeof point;
    return job->extra.count == 64 && !has_small_order(job->extra.start) &&
           EVP_PKEY_get_raw_public_key(job->key->pair, point, &count) == 1 && !has_small_order(point);
}

// What is no signature is not valid; that is no failure.
bool sl_crypto_run_verify(sl_crypto_job *job) {
    const EVP_MD *md;
    if (!get_hash(job, &md)) return false;
    uint8_t *der = NULL;
    const uint8_t *signature = job->extra.start;
    size_t count = job->extra.count;
    if (job->key->kind == SL_CRYPTO_EC) {
        signature = der = unflatten(job, &count);
        if (der == NULL) return true;
    } else if (job->key->kind == SL_CRYPTO_ED25519 && !is_sound_eddsa(job)) {
        return true;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    bool is_ready = context != NULL && EVP_DigestVerifyInit(context, &parameters, md, NULL, job->key->pair) == 1;
    job->is_valid = is_ready && count > 0 && set_padding(job, parameters) &&
                    EVP_DigestVerify(context, signature, count, job->data.start, job->data.count) == 1;
    EVP_MD_CTX_free(context);
    OPENSSL_free(der);
    return is_ready;
}
