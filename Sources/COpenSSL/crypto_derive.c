// Agreements (ECDH of SP 800-56A, X25519 of RFC 7748) and derivations (HKDF of RFC 5869, PBKDF2 of RFC 8018).

// The states of SHA are copied once an iteration, which takes a third of the time that contexts of EVP take.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto.h"
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

bool sl_crypto_run_agree(sl_crypto_job *job) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, job->key->pair, NULL);
    size_t count = 0;
    // That the peer is on the curve was seen when its key was made, and these curves have no points of small order. X25519 refuses a result of zeros.
    bool done = context != NULL && EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer_ex(context, job->other->pair, 0) == 1 &&
                EVP_PKEY_derive(context, NULL, &count) == 1 && sl_crypto_reserve(&job->output, count) &&
                EVP_PKEY_derive(context, job->output.start, &count) == 1;
    if (done) job->output.count = count;
    EVP_PKEY_CTX_free(context);
    return done;
}

bool sl_crypto_run_hkdf(sl_crypto_job *job) {
    const EVP_MD *md = sl_crypto_md(job->hash);
    if (md == NULL) return false;
    size_t width = (size_t)EVP_MD_get_size(md);
    if (job->length > 255 * width || !sl_crypto_reserve(&job->output, job->length)) return false;
    const sl_crypto_bytes none = {NULL, 0};
    uint8_t extracted[digest_bytes_max], block[digest_bytes_max];
    bool done = sl_crypto_mac(job->hash, job->iv, (sl_crypto_bytes){job->key->bytes, job->key->count}, none, extracted);
    // T(n) is the HMAC of T(n - 1), the info and n.
    uint8_t *text = OPENSSL_malloc(job->extra.count + 1);
    done = done && text != NULL;
    if (done && job->extra.count > 0) memcpy(text, job->extra.start, job->extra.count);
    for (size_t at = 0, number = 1; done && at < job->length; number++) {
        text[job->extra.count] = (uint8_t)number;
        sl_crypto_bytes before = {block, number == 1 ? 0 : width};
        done = sl_crypto_mac(job->hash, (sl_crypto_bytes){extracted, width}, before, (sl_crypto_bytes){text, job->extra.count + 1}, block);
        size_t count = job->length - at < width ? job->length - at : width;
        if (done) memcpy(job->output.start + at, block, count);
        at += count;
    }
    OPENSSL_free(text);
    OPENSSL_cleanse(extracted, sizeof extracted);
    OPENSSL_cleanse(block, sizeof block);
    return done;
}

// ---- PBKDF2 ----

typedef union {
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512;
} sha_state;

static void sha_begin(sl_crypto_hash hash, sha_state *state) {
    switch (hash) {
        case SL_CRYPTO_SHA1: SHA1_Init(&state->sha1); break;
        case SL_CRYPTO_SHA256: SHA256_Init(&state->sha256); break;
        case SL_CRYPTO_SHA384: SHA384_Init(&state->sha512); break;
        default: SHA512_Init(&state->sha512); break;
    }
}

static void sha_update(sl_crypto_hash hash, sha_state *state, const uint8_t *bytes, size_t count) {
    switch (hash) {
        case SL_CRYPTO_SHA1: SHA1_Update(&state->sha1, bytes, count); break;
        case SL_CRYPTO_SHA256: SHA256_Update(&state->sha256, bytes, count); break;
        default: SHA512_Update(&state->sha512, bytes, count); break;
    }
}

static void sha_end(sl_crypto_hash hash, sha_state *state, uint8_t *result) {
    switch (hash) {
        case SL_CRYPTO_SHA1: SHA1_Final(result, &state->sha1); break;
        case SL_CRYPTO_SHA256: SHA256_Final(result, &state->sha256); break;
        default: SHA512_Final(result, &state->sha512); break;
    }
}

// An HMAC's key, worked in: the state after the inner block, and after the outer one.
typedef struct {
    sl_crypto_hash hash;
    size_t width;  // bytes of a digest
    sha_state inner, outer;
} mac_key;

static void mac_prepare(mac_key *key, sl_crypto_hash hash, size_t width, sl_crypto_bytes bytes) {
    enum { block_bytes_max = 128 };
    size_t block_bytes = hash == SL_CRYPTO_SHA1 || hash == SL_CRYPTO_SHA256 ? 64 : block_bytes_max;
    uint8_t block[block_bytes_max] = {0};
    key->hash = hash;
    key->width = width;
    if (bytes.count > block_bytes) {
        sha_begin(hash, &key->inner);
        sha_update(hash, &key->inner, bytes.start, bytes.count);
        sha_end(hash, &key->inner, block);
    } else if (bytes.count > 0) {
        memcpy(block, bytes.start, bytes.count);
    }
    for (size_t i = 0; i < block_bytes; i++) block[i] ^= 0x36;
    sha_begin(hash, &key->inner);
    sha_update(hash, &key->inner, block, block_bytes);
    for (size_t i = 0; i < block_bytes; i++) block[i] ^= 0x36 ^ 0x5c;
    sha_begin(hash, &key->outer);
    sha_update(hash, &key->outer, block, block_bytes);
    OPENSSL_cleanse(block, sizeof block);
}

static void mac_finish(const mac_key *key, sha_state *state, uint8_t *result) {
    sha_end(key->hash, state, result);
    *state = key->outer;
    sha_update(key->hash, state, result, key->width);
    sha_end(key->hash, state, result);
}

bool sl_crypto_run_pbkdf2(sl_crypto_job *job) {
    enum { rounds_between_looks = 1024 };
    const EVP_MD *md = job->hash <= SL_CRYPTO_SHA512 ? sl_crypto_md(job->hash) : NULL;
    // The number of a block has 32 bits.
    if (md == NULL || job->number == 0 || job->length > UINT32_MAX) return false;
    if (!sl_crypto_reserve(&job->output, job->length)) return false;
    mac_key key;
    sha_state state;
    uint8_t last[digest_bytes_max], sum[digest_bytes_max];
    mac_prepare(&key, job->hash, (size_t)EVP_MD_get_size(md), (sl_crypto_bytes){job->key->bytes, job->key->count});
    bool goes_on = true;
    uint32_t block = 1;
    for (size_t at = 0; goes_on && at < job->length; block++) {
        const uint8_t number[4] = {(uint8_t)(block >> 24), (uint8_t)(block >> 16), (uint8_t)(block >> 8), (uint8_t)block};
        state = key.inner;
        if (job->iv.count > 0) sha_update(key.hash, &state, job->iv.start, job->iv.count);
        sha_update(key.hash, &state, number, sizeof number);
        mac_finish(&key, &state, last);
        memcpy(sum, last, key.width);
        for (uint64_t round = 1; goes_on && round < job->number; round++) {
            state = key.inner;
            sha_update(key.hash, &state, last, key.width);
            mac_finish(&key, &state, last);
            for (size_t i = 0; i < key.width; i++) sum[i] ^= last[i];
            if (round % rounds_between_looks == 0) goes_on = !sl_crypto_is_cancelled(job->cancelled);
        }
        size_t count = job->length - at < key.width ? job->length - at : key.width;
        memcpy(job->output.start + at, sum, count);
        at += count;
        if (block % rounds_between_looks == 0 && sl_crypto_is_cancelled(job->cancelled)) goes_on = false;
    }
    OPENSSL_cleanse(&key, sizeof key);
    OPENSSL_cleanse(&state, sizeof state);
    OPENSSL_cleanse(last, sizeof last);
    OPENSSL_cleanse(sum, sizeof sum);
    return goes_on;
}
