// Keys: their memory, and how they are made of numbers and by chance.

#include "crypto.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

// ---- Memory ----

static sl_crypto_key *new_key(sl_crypto_kind kind, size_t count) {
    sl_crypto_key *key = OPENSSL_zalloc(sizeof *key + count);
    if (key == NULL) return NULL;
    key->self = key;
    key->references = 1;
    key->kind = kind;
    key->count = count;
    return key;
}

sl_crypto_key *sl_crypto_key_of(EVP_PKEY *pair, sl_crypto_kind kind, sl_crypto_curve curve, bool is_private) {
    sl_crypto_key *key = pair == NULL ? NULL : new_key(kind, 0);
    if (key == NULL) {
        EVP_PKEY_free(pair);
        return NULL;
    }
    key->pair = pair;
    key->curve = kind == SL_CRYPTO_EC ? curve : 0;
    key->is_private = is_private;
    return key;
}

sl_crypto_key *sl_crypto_key_at(void *memory, size_t count) {
    sl_crypto_key *key = memory;
    return count >= sizeof key->self && key->self == key ? key : NULL;
}

size_t sl_crypto_key_size(const sl_crypto_key *key) { return sizeof *key + key->count; }
sl_crypto_kind sl_crypto_key_kind(const sl_crypto_key *key) { return (sl_crypto_kind)key->kind; }
bool sl_crypto_key_is_private(const sl_crypto_key *key) { return key->is_private; }
size_t sl_crypto_key_bits(const sl_crypto_key *key) { return key->pair == NULL ? 8 * key->count : (size_t)EVP_PKEY_get_bits(key->pair); }

void sl_crypto_key_retain(sl_crypto_key *key) { __atomic_fetch_add(&key->references, 1, __ATOMIC_RELAXED); }

void sl_crypto_key_release(sl_crypto_key *key) {
    if (__atomic_sub_fetch(&key->references, 1, __ATOMIC_ACQ_REL) > 0) return;
    EVP_PKEY_free(key->pair);
    OPENSSL_clear_free(key, sizeof *key + key->count);
}

// ---- Secrets ----

sl_crypto_key *sl_crypto_key_secret(sl_crypto_bytes bytes) {
    sl_crypto_key *key = new_key(SL_CRYPTO_SECRET, bytes.count);
    if (key != NULL && bytes.count > 0) memcpy(key->bytes, bytes.start, bytes.count);
    return key;
}

sl_crypto_key *sl_crypto_key_random(size_t bits) {
    sl_crypto_key *key = new_key(SL_CRYPTO_SECRET, (bits + 7) / 8);
    if (key == NULL) return NULL;
    if (RAND_priv_bytes_ex(NULL, key->bytes, key->count, 0) != 1) {
        ERR_clear_error();
        sl_crypto_key_release(key);
        return NULL;
    }
    if (bits % 8 != 0) key->bytes[key->count - 1] &= (uint8_t)(0xFF << (8 - bits % 8));
    return key;
}

// ---- Curves ----

const char *sl_crypto_curve_name(sl_crypto_curve curve) {
    switch (curve) {
        case SL_CRYPTO_P256: return "P-256";
        case SL_CRYPTO_P384: return "P-384";
        case SL_CRYPTO_P521: return "P-521";
    }
    return NULL;
}

size_t sl_crypto_curve_bytes(sl_crypto_curve curve) { return curve == SL_CRYPTO_P256 ? 32 : curve == SL_CRYPTO_P384 ? 48 : 66; }

// ---- From numbers ----

EVP_PKEY *sl_crypto_pair_of(const char *name, OSSL_PARAM_BLD *builder, int selection) {
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = parameters == NULL ? NULL : EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
    EVP_PKEY *pair = NULL;
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 || EVP_PKEY_fromdata(context, &pair, selection, parameters) != 1) {
        EVP_PKEY_free(pair);
        pair = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    return pair;
}

static bool is_sound(BIGNUM *const parts[SL_CRYPTO_RSA_PARTS]);

static const char *const part_names[SL_CRYPTO_RSA_PARTS] = {
    OSSL_PKEY_PARAM_RSA_N,       OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

sl_crypto_key *sl_crypto_key_rsa(const sl_crypto_bytes parts[SL_CRYPTO_RSA_PARTS]) {
    enum { modulus_bytes_max = OPENSSL_RSA_MAX_MODULUS_BITS / 8 };
    bool is_private = parts[SL_CRYPTO_D].start != NULL;
    int count = is_private ? SL_CRYPTO_RSA_PARTS : 2;
    BIGNUM *numbers[SL_CRYPTO_RSA_PARTS] = {NULL};
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    bool done = builder != NULL;
    for (int i = 0; done && i < count; i++) {
        done = parts[i].start != NULL && parts[i].count <= modulus_bytes_max;
        // Of secret numbers there is a copy in the builder's own memory, which is overwritten when their flag says so.
        numbers[i] = done ? i < SL_CRYPTO_D ? BN_new() : BN_secure_new() : NULL;
        done = numbers[i] != NULL && BN_bin2bn(parts[i].start, (int)parts[i].count, numbers[i]) != NULL;
        if (done && i >= SL_CRYPTO_D) BN_set_flags(numbers[i], BN_FLG_CONSTTIME);
        done = done && OSSL_PARAM_BLD_push_BN(builder, part_names[i], numbers[i]) == 1;
    }
    EVP_PKEY *pair = NULL;
    if (done && is_sound(numbers)) {
        pair = sl_crypto_pair_of("RSA", builder, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
    } else {
        OSSL_PARAM_BLD_free(builder);
    }
    for (int i = 0; i < count; i++) BN_clear_free(numbers[i]);
    ERR_clear_error();
    return sl_crypto_key_of(pair, SL_CRYPTO_RSA, 0, is_private);
}

// a·b ≡ 1 (mod m + less)
static bool are_inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_ULONG less, BN_CTX *context) {
    BN_CTX_start(context);
    BIGNUM *modulus = BN_CTX_get(context), *product = BN_CTX_get(context);
    bool are = product != NULL && BN_copy(modulus, m) != NULL && BN_sub_word(modulus, less) == 1;
    if (are) {
        BN_set_flags(modulus, BN_FLG_CONSTTIME);
        are = BN_cmp(modulus, BN_value_one()) > 0 && BN_mod_mul(product, a, b, modulus, context) == 1 && BN_is_one(product);
    }
    BN_CTX_end(context);
    return are;
}

// A key that gives wrong results, or whose results give the key away, is none. That the factors are prime is not looked at: that takes longer than
// most of what is done with a key.
static bool is_sound(BIGNUM *const parts[SL_CRYPTO_RSA_PARTS]) {
    const BIGNUM *n = parts[SL_CRYPTO_N], *e = parts[SL_CRYPTO_E], *d = parts[SL_CRYPTO_D], *p = parts[SL_CRYPTO_P], *q = parts[SL_CRYPTO_Q];
    const BIGNUM *dp = parts[SL_CRYPTO_DP], *dq = parts[SL_CRYPTO_DQ], *qi = parts[SL_CRYPTO_QI];
    // FIPS 186-5, appendix A.1.1; a longer exponent would only make a public key as slow as a private one.
    enum { exponent_bits_max = 256 };
    if (!BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > exponent_bits_max || BN_cmp(e, n) >= 0) return false;
    if (d == NULL) return true;
    if (!BN_is_odd(p) || !BN_is_odd(q) || BN_is_zero(d) || BN_cmp(d, n) >= 0 || BN_cmp(dp, p) >= 0 || BN_cmp(dq, q) >= 0 || BN_cmp(qi, p) >= 0) return false;
    BN_CTX *context = BN_CTX_secure_new();
    BIGNUM *product = context == NULL ? NULL : BN_new();
    bool is = product != NULL && BN_mul(product, p, q, context) == 1 && BN_cmp(product, n) == 0 && are_inverse(e, d, p, 1, context) &&
                    are_inverse(e, d, q, 1, context) && are_inverse(e, dp, p, 1, context) && are_inverse(e, dq, q, 1, context) &&
                    are_inverse(q, qi, p, 0, context);
    BN_clear_free(product);
    BN_CTX_free(context);
    return is;
}

bool sl_crypto_rsa_is_sound(EVP_PKEY *pair, bool is_private) {
    BIGNUM *numbers[SL_CRYPTO_RSA_PARTS] = {NULL}, *third = NULL;
    bool done = true;
    for (int i = 0; done && i < (is_private ? SL_CRYPTO_RSA_PARTS : 2); i++) {
        done = EVP_PKEY_get_bn_param(pair, part_names[i], &numbers[i]) == 1;
        if (done && i >= SL_CRYPTO_D) BN_set_flags(numbers[i], BN_FLG_CONSTTIME);
    }
    // Of more than two primes there is no key here.
    done = done && EVP_PKEY_get_bits(pair) <= OPENSSL_RSA_MAX_MODULUS_BITS && is_sound(numbers) &&
           EVP_PKEY_get_bn_param(pair, OSSL_PKEY_PARAM_RSA_FACTOR3, &third) != 1;
    for (int i = 0; i < SL_CRYPTO_RSA_PARTS; i++) BN_clear_free(numbers[i]);
    BN_clear_free(third);
    return done;
}
