// AES in its modes (NIST SP 800-38A, 38D, RFC 3394), and RSA-OAEP (RFC 8017 section 7.1).

#include "crypto.h"
#include <openssl/crypto.h>
#include <openssl/rsa.h>
#include <string.h>

enum { block_bytes = 16 };

// EVP counts in ints.
static const size_t stretch_max = 1 << 30;

// Works on all of `data`; `target` null: it is additional data. What was written, or SIZE_MAX.
static size_t update(EVP_CIPHER_CTX *context, uint8_t *target, sl_crypto_bytes data) {
    size_t written = 0;
    for (size_t at = 0; at < data.count;) {
        size_t count = data.count - at < stretch_max ? data.count - at : stretch_max;
        int made = 0;
        if (EVP_CipherUpdate(context, target == NULL ? NULL : target + written, &made, data.start + at, (int)count) != 1) return SIZE_MAX;
        at += count;
        written += (size_t)made;
    }
    return written;
}

static bool run_gcm(sl_crypto_job *job, EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, bool encrypts) {
    size_t tag_bytes = (size_t)job->number;
    if (tag_bytes > block_bytes || job->iv.count == 0 || job->iv.count > INT32_MAX) return false;
    sl_crypto_bytes body = job->data;
    if (!encrypts) {
        if (body.count < tag_bytes) return false;
        body.count -= tag_bytes;
    }
    if (!sl_crypto_reserve(&job->output, encrypts ? body.count + tag_bytes : body.count)) return false;
    if (EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypts, NULL) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, (int)job->iv.count, NULL) != 1 ||
        EVP_CipherInit_ex2(context, NULL, job->key->bytes, job->iv.start, encrypts, NULL) != 1) {
        return false;
    }
    if (!encrypts && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, (int)tag_bytes, (void *)(body.start + body.count)) != 1) return false;
    int made = 0;
    if (update(context, NULL, job->extra) == SIZE_MAX || update(context, job->output.start, body) != body.count ||
        EVP_CipherFinal_ex(context, job->output.start + body.count, &made) != 1) {
        return false;
    }
    return !encrypts || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, (int)tag_bytes, job->output.start + body.count) == 1;
}

static bool run_cbc(sl_crypto_job *job, EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, bool encrypts) {
    size_t count = job->data.count;
    if (job->iv.count != block_bytes || (!encrypts && (count == 0 || count % block_bytes != 0))) return false;
    if (!sl_crypto_reserve(&job->output, count + block_bytes)) return false;
    if (EVP_CipherInit_ex2(context, cipher, job->key->bytes, job->iv.start, encrypts, NULL) != 1) return false;
    size_t written = update(context, job->output.start, job->data);
    int made = 0;
    if (written == SIZE_MAX || EVP_CipherFinal_ex(context, job->output.start + written, &made) != 1) return false;
    job->output.count = written + (size_t)made;
    return true;
}

static uint64_t load(const uint8_t *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
    return value;
}

// How many blocks there are until the low bits are 0 again; UINT64_MAX: more than there can be.
static uint64_t blocks_before_zero(const uint8_t counter[block_bytes], unsigned bits) {
    uint64_t high = load(counter), low = load(counter + 8);
    if (bits < 64) return (UINT64_C(1) << bits) - (low & ((UINT64_C(1) << bits) - 1));
    uint64_t mask = bits == 64 ? 0 : bits == 128 ? UINT64_MAX : (UINT64_C(1) << (bits - 64)) - 1;
    return (high & mask) != mask || low == 0 ? UINT64_MAX : 0 - low;
}

// The counter is the low bits of the block only: OpenSSL's carries into the rest, so what comes after 0 is done by itself.
static bool run_ctr(sl_crypto_job *job, EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher) {
    if (job->iv.count != block_bytes || job->number < 1 || job->number > 128) return false;
    unsigned bits = (unsigned)job->number;
    size_t blocks = job->data.count / block_bytes + (job->data.count % block_bytes != 0);
    if (bits < 64 && blocks > UINT64_C(1) << bits) return false;
    if (!sl_crypto_reserve(&job->output, job->data.count)) return false;
    uint8_t counter[block_bytes];
    memcpy(counter, job->iv.start, block_bytes);
    uint64_t before = blocks_before_zero(counter, bits);
    sl_crypto_bytes first = job->data, second = {NULL, 0};
    if (blocks > before) {
        first.count = (size_t)before * block_bytes;
        second = (sl_crypto_bytes){job->data.start + first.count, job->data.count - first.count};
    }
    if (EVP_CipherInit_ex2(context, cipher, job->key->bytes, counter, 1, NULL) != 1 ||
        update(context, job->output.start, first) != first.count) {
        return false;
    }
    if (second.count == 0) return true;
    for (unsigned bit = 0; bit < bits; bit++) counter[block_bytes - 1 - bit / 8] &= (uint8_t)~(1u << bit % 8);
    return EVP_CipherInit_ex2(context, NULL, NULL, counter, 1, NULL) == 1 &&
           update(context, job->output.start + first.count, second) == second.count;
}

static bool run_wrap(sl_crypto_job *job, EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, bool encrypts) {
    size_t count = job->data.count;
    if (count % 8 != 0 || count < (encrypts ? 16 : 24) || count > stretch_max) return false;
    if (!sl_crypto_reserve(&job->output, count + 8)) return false;
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (EVP_CipherInit_ex2(context, cipher, job->key->bytes, NULL, encrypts, NULL) != 1) return false;
    size_t written = update(context, job->output.start, job->data);
    int made = 0;
    if (written == SIZE_MAX || EVP_CipherFinal_ex(context, job->output.start + written, &made) != 1) return false;
    job->output.count = encrypts ? count + 8 : count - 8;
    return written + (size_t)made == job->output.count;
}

bool sl_crypto_run_cipher(sl_crypto_job *job) {
    static const cipher_mode modes_of[] = {
        [SL_CRYPTO_GCM_ENCRYPT] = mode_gcm, [SL_CRYPTO_GCM_DECRYPT] = mode_gcm, [SL_CRYPTO_CBC_ENCRYPT] = mode_cbc,
        [SL_CRYPTO_CBC_DECRYPT] = mode_cbc, [SL_CRYPTO_CTR] = mode_ctr,         [SL_CRYPTO_WRAP] = mode_wrap,
        [SL_CRYPTO_UNWRAP] = mode_wrap,
    };
    const EVP_CIPHER *cipher = sl_crypto_cipher(modes_of[job->operation], job->key->count);
    EVP_CIPHER_CTX *context = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();
    if (context == NULL) return false;
    bool done = false;
    switch (job->operation) {
        case SL_CRYPTO_GCM_ENCRYPT:
        case SL_CRYPTO_GCM_DECRYPT: done = run_gcm(job, context, cipher, job->operation == SL_CRYPTO_GCM_ENCRYPT); break;
        case SL_CRYPTO_CBC_ENCRYPT:
        case SL_CRYPTO_CBC_DECRYPT: done = run_cbc(job, context, cipher, job->operation == SL_CRYPTO_CBC_ENCRYPT); break;
        case SL_CRYPTO_CTR: done = run_ctr(job, context, cipher); break;
        case SL_CRYPTO_WRAP:
        case SL_CRYPTO_UNWRAP: done = run_wrap(job, context, cipher, job->operation == SL_CRYPTO_WRAP); break;
        default: break;
    }
    EVP_CIPHER_CTX_free(context);
    return done;
}

bool sl_crypto_run_oaep(sl_crypto_job *job, bool encrypts) {
    const EVP_MD *md = sl_crypto_md(job->hash);
    EVP_PKEY_CTX *context = md == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, job->key->pair, NULL);
    if (context == NULL) return false;
    bool done = (encrypts ? EVP_PKEY_encrypt_init(context) : EVP_PKEY_decrypt_init(context)) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 && EVP_PKEY_CTX_set_rsa_oaep_md(context, md) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1;
    if (done && job->extra.count > 0) {
        void *label = job->extra.count > INT32_MAX ? NULL : OPENSSL_memdup(job->extra.start, job->extra.count);
        done = label != NULL && EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, (int)job->extra.count) == 1;
        if (!done) OPENSSL_free(label);
    }
    size_t count = (size_t)EVP_PKEY_get_size(job->key->pair);
    if (done && sl_crypto_reserve(&job->output, count)) {
        // A pointer even for a text of no bytes.
        const uint8_t *data = job->data.count > 0 ? job->data.start : (const uint8_t *)"";
        done = (encrypts ? EVP_PKEY_encrypt(context, job->output.start, &count, data, job->data.count)
                         : EVP_PKEY_decrypt(context, job->output.start, &count, data, job->data.count)) == 1;
        if (done) job->output.count = count;
    } else {
        done = false;
    }
    EVP_PKEY_CTX_free(context);
    return done;
}
