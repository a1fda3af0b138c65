#define _GNU_SOURCE
#include "CCrypto.h"
#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

// What is used of it, by its own names.
#define EACH(use)                                                                                                                        \
    use(EVP_sha256) use(EVP_aes_256_gcm) use(EVP_aes_256_cbc) use(EVP_Digest) use(EVP_MD_CTX_new) use(EVP_MD_CTX_free)                   \
    use(EVP_PKEY_new_raw_private_key)                               \
    use(EVP_PKEY_new_raw_public_key) use(EVP_PKEY_get_raw_private_key) use(EVP_PKEY_get_raw_public_key) use(EVP_PKEY_get_id)             \
    use(EVP_PKEY_free) use(EVP_DigestSignInit) use(EVP_DigestSign) use(EVP_DigestVerifyInit) use(EVP_DigestVerify)                       \
    use(EVP_CIPHER_CTX_new) use(EVP_CIPHER_CTX_free) use(EVP_CIPHER_CTX_ctrl) use(EVP_EncryptInit_ex) use(EVP_EncryptUpdate)             \
    use(EVP_EncryptFinal_ex) use(EVP_DecryptInit_ex) use(EVP_DecryptUpdate) use(EVP_DecryptFinal_ex) use(EVP_PBE_scrypt)                 \
    use(BIO_new) use(BIO_s_mem) use(BIO_new_mem_buf) use(BIO_free) use(BIO_read) use(PEM_read_bio_PrivateKey) use(PEM_read_bio_PUBKEY)   \
    use(PEM_write_bio_PKCS8_PRIV_KEY_INFO) use(PEM_write_bio_PKCS8) use(PEM_write_bio_PUBKEY) use(EVP_PKEY2PKCS8)                        \
    use(PKCS8_PRIV_KEY_INFO_free) use(PKCS8_set0_pbe) use(PKCS5_pbe2_set_scrypt) use(X509_SIG_free) use(X509_ALGOR_free)                 \
    use(ERR_clear_error)

#define MEMBER(name) __typeof__(&name) name;
static struct { EACH(MEMBER) } crypto;

static char problem[256];

static void load(void) {
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(problem, sizeof problem, "%s; install libssl3", dlerror());
        return;
    }
#define FIND(name)                                                                            \
    crypto.name = (__typeof__(&name))dlsym(library, #name);                                   \
    if (crypto.name == NULL) snprintf(problem, sizeof problem, "libcrypto.so.3 has no " #name);
    EACH(FIND)
}

const char *sl_crypto_problem(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return problem[0] == 0 ? NULL : problem;
}

void sl_crypto_random(void *bytes, size_t count) {
    uint8_t *next = bytes;
    while (count > 0) {
        ssize_t got = getrandom(next, count, 0);
        if (got <= 0) abort();
        next += got;
        count -= (size_t)got;
    }
}

void sl_crypto_cleanse(void *bytes, size_t count) {
    if (count > 0) explicit_bzero(bytes, count);
}

// ---- SHA-256 ----

// A digest that cannot be made is one that nobody may take for another's: there is nothing to go on with.
static void require(int done) {
    if (done != 1) abort();
}

void sl_crypto_sha256(const void *bytes, size_t count, uint8_t *digest) {
    require(crypto.EVP_Digest(bytes == NULL ? "" : bytes, count, digest, NULL, crypto.EVP_sha256(), NULL));
}

// ---- Ed25519 ----

bool sl_crypto_ed25519_public(const uint8_t *secret, uint8_t *public_key) {
    EVP_PKEY *key = crypto.EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    size_t count = 32;
    bool done = key != NULL && crypto.EVP_PKEY_get_raw_public_key(key, public_key, &count) == 1 && count == 32;
    crypto.EVP_PKEY_free(key);
    return done;
}

bool sl_crypto_ed25519_sign(const uint8_t *secret, const void *bytes, size_t count, uint8_t *signature) {
    EVP_PKEY *key = crypto.EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    EVP_MD_CTX *context = crypto.EVP_MD_CTX_new();
    size_t made = 64;
    bool done = key != NULL && context != NULL && crypto.EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                crypto.EVP_DigestSign(context, signature, &made, bytes == NULL ? (const void *)"" : bytes, count) == 1 && made == 64;
    crypto.EVP_MD_CTX_free(context);
    crypto.EVP_PKEY_free(key);
    return done;
}

bool sl_crypto_ed25519_verify(const uint8_t *public_key, const void *bytes, size_t count, const uint8_t *signature) {
    EVP_PKEY *key = crypto.EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = crypto.EVP_MD_CTX_new();
    bool done = key != NULL && context != NULL && crypto.EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                crypto.EVP_DigestVerify(context, signature, 64, bytes == NULL ? (const void *)"" : bytes, count) == 1;
    crypto.EVP_MD_CTX_free(context);
    crypto.EVP_PKEY_free(key);
    crypto.ERR_clear_error();
    return done;
}

// ---- PEM ----

typedef struct {
    const void *bytes;
    size_t count;
    bool asked;
} passphrase_given;

// Without one of ours, OpenSSL would ask at the terminal.
static int give_passphrase(char *room, int size, int writes, void *context) {
    (void)writes;
    passphrase_given *given = context;
    given->asked = true;
    if (given->bytes == NULL || given->count > (size_t)size) return -1;
    memcpy(room, given->bytes, given->count);
    return (int)given->count;
}

static bool has_block(const void *pem, size_t count, const char *begin) { return memmem(pem, count, begin, strlen(begin)) != NULL; }

// An Ed25519 key: its 32 bytes.
static sl_crypto_pem_result read_pem(const void *pem, size_t count, bool is_secret, passphrase_given *given, uint8_t *raw) {
    const char *begin = is_secret ? "PRIVATE KEY-----" : "-----BEGIN PUBLIC KEY-----";
    if (!has_block(pem, count, begin) || count > 1 << 20) return sl_crypto_pem_none;
    BIO *bio = crypto.BIO_new_mem_buf(pem, (int)count);
    if (bio == NULL) return sl_crypto_pem_broken;
    EVP_PKEY *key = (is_secret ? crypto.PEM_read_bio_PrivateKey : crypto.PEM_read_bio_PUBKEY)(bio, NULL, give_passphrase, given);
    crypto.BIO_free(bio);
    crypto.ERR_clear_error();
    if (key == NULL) return is_secret && given->asked ? sl_crypto_pem_passphrase : sl_crypto_pem_broken;
    sl_crypto_pem_result result = sl_crypto_pem_other_key;
    if (crypto.EVP_PKEY_get_id(key) == EVP_PKEY_ED25519) {
        size_t room = 32;
        bool done = (is_secret ? crypto.EVP_PKEY_get_raw_private_key : crypto.EVP_PKEY_get_raw_public_key)(key, raw, &room) == 1;
        result = done && room == 32 ? sl_crypto_pem_ok : sl_crypto_pem_broken;
    }
    crypto.EVP_PKEY_free(key);
    return result;
}

sl_crypto_pem_result sl_crypto_pem_read_secret(const void *pem, size_t count, const void *passphrase, size_t passphrase_count,
                                               uint8_t *secret) {
    passphrase_given given = {passphrase, passphrase_count, false};
    return read_pem(pem, count, true, &given, secret);
}

sl_crypto_pem_result sl_crypto_pem_read_public(const void *pem, size_t count, uint8_t *public_key) {
    passphrase_given none = {NULL, 0, false};
    return read_pem(pem, count, false, &none, public_key);
}

static bool write_encrypted(BIO *bio, EVP_PKEY *key, const void *passphrase, size_t count) {
    PKCS8_PRIV_KEY_INFO *plain = crypto.EVP_PKEY2PKCS8(key);
    X509_ALGOR *algorithm = crypto.PKCS5_pbe2_set_scrypt(crypto.EVP_aes_256_cbc(), NULL, 16, NULL, 16384, 8, 5);
    X509_SIG *sealed = NULL;
    if (plain != NULL && algorithm != NULL) sealed = crypto.PKCS8_set0_pbe(passphrase, (int)count, plain, algorithm);
    // What was made of it owns the algorithm.
    if (sealed == NULL && algorithm != NULL) crypto.X509_ALGOR_free(algorithm);
    bool done = sealed != NULL && crypto.PEM_write_bio_PKCS8(bio, sealed) == 1;
    crypto.X509_SIG_free(sealed);
    crypto.PKCS8_PRIV_KEY_INFO_free(plain);
    return done;
}

static bool write_plain(BIO *bio, EVP_PKEY *key) {
    PKCS8_PRIV_KEY_INFO *plain = crypto.EVP_PKEY2PKCS8(key);
    bool done = plain != NULL && crypto.PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, plain) == 1;
    crypto.PKCS8_PRIV_KEY_INFO_free(plain);
    return done;
}

static size_t take(BIO *bio, char *pem, size_t room) {
    int count = crypto.BIO_read(bio, pem, (int)room);
    char more;
    return count > 0 && crypto.BIO_read(bio, &more, 1) <= 0 ? (size_t)count : 0;
}

size_t sl_crypto_pem_write_secret(const uint8_t *secret, const void *passphrase, size_t passphrase_count, char *pem, size_t room) {
    EVP_PKEY *key = crypto.EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    BIO *bio = crypto.BIO_new(crypto.BIO_s_mem());
    bool done = key != NULL && bio != NULL &&
                (passphrase == NULL ? write_plain(bio, key) : write_encrypted(bio, key, passphrase, passphrase_count));
    size_t count = done ? take(bio, pem, room) : 0;
    crypto.BIO_free(bio);
    crypto.EVP_PKEY_free(key);
    return count;
}

size_t sl_crypto_pem_write_public(const uint8_t *public_key, char *pem, size_t room) {
    EVP_PKEY *key = crypto.EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    BIO *bio = crypto.BIO_new(crypto.BIO_s_mem());
    size_t count = key != NULL && bio != NULL && crypto.PEM_write_bio_PUBKEY(bio, key) == 1 ? take(bio, pem, room) : 0;
    crypto.BIO_free(bio);
    crypto.EVP_PKEY_free(key);
    return count;
}

// ---- AES-256-GCM ----

bool sl_crypto_seal(const uint8_t *key, const uint8_t *nonce, const void *header, size_t header_count, const void *plain, size_t count,
                    uint8_t *sealed, uint8_t *tag) {
    if (count > INT32_MAX || header_count > INT32_MAX) return false;
    EVP_CIPHER_CTX *context = crypto.EVP_CIPHER_CTX_new();
    int made = 0, rest = 0;
    uint8_t none[16];
    bool done = context != NULL && crypto.EVP_EncryptInit_ex(context, crypto.EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
                (header_count == 0 || crypto.EVP_EncryptUpdate(context, NULL, &made, header, (int)header_count) == 1) &&
                (count == 0 || crypto.EVP_EncryptUpdate(context, sealed, &made, plain, (int)count) == 1) &&
                crypto.EVP_EncryptFinal_ex(context, none, &rest) == 1 && rest == 0 &&
                crypto.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;
    crypto.EVP_CIPHER_CTX_free(context);
    return done;
}

bool sl_crypto_open(const uint8_t *key, const uint8_t *nonce, const void *header, size_t header_count, const void *sealed, size_t count,
                    uint8_t *plain, const uint8_t *tag) {
    if (count > INT32_MAX || header_count > INT32_MAX) return false;
    EVP_CIPHER_CTX *context = crypto.EVP_CIPHER_CTX_new();
    int made = 0, rest = 0;
    uint8_t none[16];
    bool done = context != NULL && crypto.EVP_DecryptInit_ex(context, crypto.EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
                (header_count == 0 || crypto.EVP_DecryptUpdate(context, NULL, &made, header, (int)header_count) == 1) &&
                (count == 0 || crypto.EVP_DecryptUpdate(context, plain, &made, sealed, (int)count) == 1) &&
                crypto.EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, (void *)tag) == 1 &&
                crypto.EVP_DecryptFinal_ex(context, none, &rest) == 1 && rest == 0;
    crypto.EVP_CIPHER_CTX_free(context);
    crypto.ERR_clear_error();
    if (!done) sl_crypto_cleanse(plain, count);
    return done;
}

bool sl_crypto_scrypt(const void *passphrase, size_t count, const uint8_t *salt, size_t salt_count, uint64_t n, uint32_t r, uint32_t p,
                      uint64_t memory_max, uint8_t *key) {
    bool done = crypto.EVP_PBE_scrypt(passphrase == NULL ? "" : passphrase, count, salt, salt_count, n, r, p, memory_max, key, 32) == 1;
    crypto.ERR_clear_error();
    return done;
}
