#include "crypto.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

// ---- What is fetched once ----

enum { hashes = SL_CRYPTO_SHA3_512 + 1 };

static EVP_MD *digests[hashes];
static EVP_CIPHER *ciphers[modes][3];
static EVP_MAC *hmac;

static void fetch(void) {
    static const char *const digest_names[hashes] = {NULL, "SHA1", "SHA2-256", "SHA2-384", "SHA2-512", "SHA3-256", "SHA3-384", "SHA3-512"};
    static const char *const cipher_names[modes][3] = {
        {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"},
        {"AES-128-CTR", "AES-192-CTR", "AES-256-CTR"},
        {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"},
        {"AES-128-WRAP", "AES-192-WRAP", "AES-256-WRAP"},
    };
    for (int hash = 1; hash < hashes; hash++) digests[hash] = EVP_MD_fetch(NULL, digest_names[hash], NULL);
    for (int mode = 0; mode < modes; mode++) {
        for (int size = 0; size < 3; size++) ciphers[mode][size] = EVP_CIPHER_fetch(NULL, cipher_names[mode][size], NULL);
    }
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

static void fetch_once(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch);
}

const EVP_MD *sl_crypto_md(sl_crypto_hash hash) {
    fetch_once();
    return (int)hash >= 1 && (int)hash < hashes ? digests[hash] : NULL;
}

const EVP_CIPHER *sl_crypto_cipher(cipher_mode mode, size_t key_bytes) {
    fetch_once();
    return key_bytes == 16 ? ciphers[mode][0] : key_bytes == 24 ? ciphers[mode][1] : key_bytes == 32 ? ciphers[mode][2] : NULL;
}

EVP_MAC *sl_crypto_hmac(void) {
    fetch_once();
    return hmac;
}

// ---- Outputs ----

bool sl_crypto_reserve(sl_crypto_output *output, size_t count) {
    output->start = OPENSSL_malloc(count > 0 ? count : 1);
    output->count = output->start == NULL ? 0 : count;
    return output->start != NULL;
}

void sl_crypto_output_free(sl_crypto_output output) { OPENSSL_clear_free(output.start, output.count); }

// ---- Digests and HMACs ----

static bool run_digest(sl_crypto_job *job) {
    const EVP_MD *md = sl_crypto_md(job->hash);
    if (md == NULL || !sl_crypto_reserve(&job->output, (size_t)EVP_MD_get_size(md))) return false;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context != NULL && EVP_DigestInit_ex2(context, md, NULL) == 1 &&
                EVP_DigestUpdate(context, job->data.start, job->data.count) == 1 && EVP_DigestFinal_ex(context, job->output.start, NULL) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

bool sl_crypto_mac(sl_crypto_hash hash, sl_crypto_bytes key, sl_crypto_bytes first, sl_crypto_bytes second, uint8_t *result) {
    const EVP_MD *md = sl_crypto_md(hash);
    EVP_MAC *mac = sl_crypto_hmac();
    if (md == NULL || mac == NULL) return false;
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    if (context == NULL) return false;
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)EVP_MD_get0_name(md), 0), OSSL_PARAM_construct_end()};
    // A pointer even for a key of no bytes: null would mean "the key from before".
    const uint8_t *start = key.count > 0 ? key.start : (const uint8_t *)"";
    size_t count = 0;
    bool done = EVP_MAC_init(context, start, key.count, parameters) == 1 && EVP_MAC_update(context, first.start, first.count) == 1 &&
                EVP_MAC_update(context, second.start, second.count) == 1 && EVP_MAC_final(context, result, &count, digest_bytes_max) == 1;
    EVP_MAC_CTX_free(context);
    return done;
}

static bool run_hmac(sl_crypto_job *job) {
    const EVP_MD *md = sl_crypto_md(job->hash);
    uint8_t result[digest_bytes_max];
    sl_crypto_bytes key = {job->key->bytes, job->key->count};
    if (md == NULL || !sl_crypto_mac(job->hash, key, job->data, (sl_crypto_bytes){NULL, 0}, result)) return false;
    if (!sl_crypto_reserve(&job->output, (size_t)EVP_MD_get_size(md))) return false;
    memcpy(job->output.start, result, job->output.count);
    return true;
}

// ---- Jobs ----

// Which keys an operation takes; it gets no others.
static bool has_keys(const sl_crypto_job *job) {
    const sl_crypto_key *key = job->key;
    switch (job->operation) {
        case SL_CRYPTO_DIGEST:
        case SL_CRYPTO_GENERATE_RSA:
        case SL_CRYPTO_GENERATE: return true;
        case SL_CRYPTO_HMAC:
        case SL_CRYPTO_GCM_ENCRYPT:
        case SL_CRYPTO_GCM_DECRYPT:
        case SL_CRYPTO_CBC_ENCRYPT:
        case SL_CRYPTO_CBC_DECRYPT:
        case SL_CRYPTO_CTR:
        case SL_CRYPTO_WRAP:
        case SL_CRYPTO_UNWRAP:
        case SL_CRYPTO_HKDF:
        case SL_CRYPTO_PBKDF2: return key != NULL && key->kind == SL_CRYPTO_SECRET;
        case SL_CRYPTO_OAEP_ENCRYPT:
        case SL_CRYPTO_PKCS1_VERIFY:
        case SL_CRYPTO_PSS_VERIFY: return key != NULL && key->kind == SL_CRYPTO_RSA;
        case SL_CRYPTO_OAEP_DECRYPT:
        case SL_CRYPTO_PKCS1_SIGN:
        case SL_CRYPTO_PSS_SIGN: return key != NULL && key->kind == SL_CRYPTO_RSA && key->is_private;
        case SL_CRYPTO_ECDSA_SIGN: return key != NULL && key->kind == SL_CRYPTO_EC && key->is_private;
        case SL_CRYPTO_ECDSA_VERIFY: return key != NULL && key->kind == SL_CRYPTO_EC;
        case SL_CRYPTO_EDDSA_SIGN: return key != NULL && key->kind == SL_CRYPTO_ED25519 && key->is_private;
        case SL_CRYPTO_EDDSA_VERIFY: return key != NULL && key->kind == SL_CRYPTO_ED25519;
        case SL_CRYPTO_AGREE:
            return key != NULL && job->other != NULL && key->is_private && (key->kind == SL_CRYPTO_EC || key->kind == SL_CRYPTO_X25519) &&
                   job->other->kind == key->kind && job->other->curve == key->curve;
        case SL_CRYPTO_OPERATIONS: return false;
    }
    return false;
}

static bool run(sl_crypto_job *job) {
    switch (job->operation) {
        case SL_CRYPTO_DIGEST: return run_digest(job);
        case SL_CRYPTO_HMAC: return run_hmac(job);
        case SL_CRYPTO_GCM_ENCRYPT:
        case SL_CRYPTO_GCM_DECRYPT:
        case SL_CRYPTO_CBC_ENCRYPT:
        case SL_CRYPTO_CBC_DECRYPT:
        case SL_CRYPTO_CTR:
        case SL_CRYPTO_WRAP:
        case SL_CRYPTO_UNWRAP: return sl_crypto_run_cipher(job);
        case SL_CRYPTO_OAEP_ENCRYPT:
        case SL_CRYPTO_OAEP_DECRYPT: return sl_crypto_run_oaep(job, job->operation == SL_CRYPTO_OAEP_ENCRYPT);
        case SL_CRYPTO_PKCS1_SIGN:
        case SL_CRYPTO_PSS_SIGN:
        case SL_CRYPTO_ECDSA_SIGN:
        case SL_CRYPTO_EDDSA_SIGN: return sl_crypto_run_sign(job);
        case SL_CRYPTO_PKCS1_VERIFY:
        case SL_CRYPTO_PSS_VERIFY:
        case SL_CRYPTO_ECDSA_VERIFY:
        case SL_CRYPTO_EDDSA_VERIFY: return sl_crypto_run_verify(job);
        case SL_CRYPTO_AGREE: return sl_crypto_run_agree(job);
        case SL_CRYPTO_HKDF: return sl_crypto_run_hkdf(job);
        case SL_CRYPTO_PBKDF2: return sl_crypto_run_pbkdf2(job);
        case SL_CRYPTO_GENERATE_RSA:
        case SL_CRYPTO_GENERATE: return sl_crypto_run_generate(job);
        case SL_CRYPTO_OPERATIONS: return false;
    }
    return false;
}

bool sl_crypto_run(sl_crypto_job *job) {
    job->output = (sl_crypto_output){NULL, 0};
    job->made = NULL;
    job->is_valid = false;
    bool done = has_keys(job) && run(job);
    if (!done) {
        sl_crypto_output_free(job->output);
        job->output = (sl_crypto_output){NULL, 0};
    }
    // OpenSSL keeps a list of errors a thread; TLS would find ours there.
    ERR_clear_error();
    return done;
}

void sl_crypto_cancel(uint8_t *cancelled) { __atomic_store_n(cancelled, 1, __ATOMIC_RELAXED); }

bool sl_crypto_is_cancelled(const uint8_t *cancelled) { return cancelled != NULL && __atomic_load_n(cancelled, __ATOMIC_RELAXED) != 0; }

uint64_t sl_crypto_job_rounds(const sl_crypto_job *job) {
    const EVP_MD *md = job->operation == SL_CRYPTO_PBKDF2 ? sl_crypto_md(job->hash) : NULL;
    if (md == NULL) return 0;
    size_t blocks = job->length / (size_t)EVP_MD_get_size(md) + 1;
    return job->number > UINT32_MAX || blocks > UINT32_MAX ? UINT64_MAX : job->number * blocks;
}
