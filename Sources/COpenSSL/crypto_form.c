// The forms of keys: SPKI (RFC 5280), PKCS #8 (RFC 5208), points (SEC 1), seeds (RFC 8410), and the numbers that JWK has (RFC 7518, RFC 8037).

#include "crypto.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

enum { curve25519_bytes = 32, point_bytes_max = 1 + 2 * 66 };

static const char *name_of(sl_crypto_kind kind) {
    switch (kind) {
        case SL_CRYPTO_RSA: return "RSA";
        case SL_CRYPTO_EC: return "EC";
        case SL_CRYPTO_ED25519: return "ED25519";
        case SL_CRYPTO_X25519: return "X25519";
        case SL_CRYPTO_SECRET: break;
    }
    return NULL;
}

// ---- From outside ----

static bool is_on_curve(EVP_PKEY *pair, sl_crypto_curve curve, bool is_private) {
    char name[64];
    size_t count = 0;
    if (EVP_PKEY_get_group_name(pair, name, sizeof name, &count) != 1 || OBJ_txt2nid(name) != EC_curve_nist2nid(sl_crypto_curve_name(curve))) return false;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
    bool is = context != NULL && EVP_PKEY_public_check_quick(context) == 1 &&
              (!is_private || (EVP_PKEY_private_check(context) == 1 && EVP_PKEY_pairwise_check(context) == 1)) &&
              EVP_PKEY_set_utf8_string_param(pair, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) == 1;
    EVP_PKEY_CTX_free(context);
    return is;
}

// Takes over the pair; null when it is not what it should be.
static sl_crypto_key *checked(EVP_PKEY *pair, sl_crypto_kind kind, sl_crypto_curve curve, bool is_private) {
    bool is = pair != NULL && EVP_PKEY_is_a(pair, name_of(kind));
    if (is && kind == SL_CRYPTO_RSA) is = sl_crypto_rsa_is_sound(pair, is_private);
    if (is && kind == SL_CRYPTO_EC) is = sl_crypto_curve_name(curve) != NULL && is_on_curve(pair, curve, is_private);
    ERR_clear_error();
    if (!is) {
        EVP_PKEY_free(pair);
        return NULL;
    }
    return sl_crypto_key_of(pair, kind, curve, is_private);
}

static EVP_PKEY *from_spki(sl_crypto_bytes bytes) {
    const uint8_t *at = bytes.start;
    EVP_PKEY *pair = d2i_PUBKEY(NULL, &at, (long)bytes.count);
    if (pair != NULL && at == bytes.start + bytes.count) return pair;
    EVP_PKEY_free(pair);
    return NULL;
}

static EVP_PKEY *from_pkcs8(sl_crypto_bytes bytes) {
    const uint8_t *at = bytes.start;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)bytes.count);
    EVP_PKEY *pair = info != NULL && at == bytes.start + bytes.count ? EVP_PKCS82PKEY_ex(info, NULL, NULL) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return pair;
}

// The point of a public key is uncompressed or compressed. No scalar: a public key.
static EVP_PKEY *from_point(sl_crypto_curve curve, sl_crypto_bytes point, sl_crypto_bytes scalar) {
    size_t width = sl_crypto_curve_bytes(curve);
    const char *name = sl_crypto_curve_name(curve);
    if (name == NULL || point.count == 0) return NULL;
    bool is_whole = point.start[0] == POINT_CONVERSION_UNCOMPRESSED && point.count == 1 + 2 * width;
    bool is_compressed = (point.start[0] & ~1) == POINT_CONVERSION_COMPRESSED && point.count == 1 + width;
    if (!is_whole && !is_compressed) return NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *number = NULL;
    bool done = builder != NULL && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, name, 0) == 1 &&
                OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.start, point.count) == 1;
    if (done && scalar.start != NULL) {
        number = BN_secure_new();
        done = scalar.count == width && number != NULL && BN_bin2bn(scalar.start, (int)width, number) != NULL &&
               OSSL_PARAM_BLD_push_BN_pad(builder, OSSL_PKEY_PARAM_PRIV_KEY, number, width) == 1;
    }
    EVP_PKEY *pair = NULL;
    if (done) {
        pair = sl_crypto_pair_of("EC", builder, scalar.start != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
    } else {
        OSSL_PARAM_BLD_free(builder);
    }
    BN_clear_free(number);
    return pair;
}

sl_crypto_key *sl_crypto_key_decode(sl_crypto_kind kind, sl_crypto_curve curve, sl_crypto_format format, sl_crypto_bytes bytes) {
    if (kind == SL_CRYPTO_SECRET || bytes.start == NULL || bytes.count > INT32_MAX) return NULL;
    bool is_curve25519 = kind == SL_CRYPTO_ED25519 || kind == SL_CRYPTO_X25519;
    switch (format) {
        case SL_CRYPTO_SPKI: return checked(from_spki(bytes), kind, curve, false);
        case SL_CRYPTO_PKCS8: return checked(from_pkcs8(bytes), kind, curve, true);
        case SL_CRYPTO_RAW:
            if (kind == SL_CRYPTO_EC) return checked(from_point(curve, bytes, (sl_crypto_bytes){NULL, 0}), kind, curve, false);
            if (!is_curve25519 || bytes.count != curve25519_bytes) return NULL;
            return checked(EVP_PKEY_new_raw_public_key_ex(NULL, name_of(kind), NULL, bytes.start, bytes.count), kind, curve, false);
        case SL_CRYPTO_SEED:
            if (!is_curve25519 || bytes.count != curve25519_bytes) return NULL;
            return checked(EVP_PKEY_new_raw_private_key_ex(NULL, name_of(kind), NULL, bytes.start, bytes.count), kind, curve, true);
    }
    return NULL;
}

sl_crypto_key *sl_crypto_key_private(sl_crypto_kind kind, sl_crypto_curve curve, sl_crypto_bytes point, sl_crypto_bytes scalar) {
    if (point.start == NULL || scalar.start == NULL) return NULL;
    if (kind == SL_CRYPTO_EC) return checked(from_point(curve, point, scalar), kind, curve, true);
    sl_crypto_key *key = sl_crypto_key_decode(kind, curve, SL_CRYPTO_SEED, scalar);
    if (key == NULL) return NULL;
    uint8_t own[curve25519_bytes];
    size_t count = sizeof own;
    if (EVP_PKEY_get_raw_public_key(key->pair, own, &count) == 1 && point.count == count && CRYPTO_memcmp(own, point.start, count) == 0) return key;
    sl_crypto_key_release(key);
    return NULL;
}

// ---- To outside ----

static bool copy_out(sl_crypto_output *output, const uint8_t *bytes, size_t count) {
    if (!sl_crypto_reserve(output, count)) return false;
    if (count > 0) memcpy(output->start, bytes, count);
    return true;
}

static bool encode(const sl_crypto_key *key, sl_crypto_format format, sl_crypto_output *output) {
    uint8_t point[point_bytes_max];
    size_t count = sizeof point;
    switch (format) {
        case SL_CRYPTO_SPKI: {
            int length = i2d_PUBKEY(key->pair, &output->start);
            output->count = length > 0 ? (size_t)length : 0;
            return length > 0;
        }
        case SL_CRYPTO_PKCS8: {
            PKCS8_PRIV_KEY_INFO *info = key->is_private ? EVP_PKEY2PKCS8(key->pair) : NULL;
            int length = info == NULL ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info, &output->start);
            PKCS8_PRIV_KEY_INFO_free(info);
            output->count = length > 0 ? (size_t)length : 0;
            return length > 0;
        }
        case SL_CRYPTO_RAW:
            if (key->kind == SL_CRYPTO_RSA) return false;
            if (key->kind == SL_CRYPTO_EC) {
                return EVP_PKEY_get_octet_string_param(key->pair, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &count) == 1 &&
                       copy_out(output, point, count);
            }
            return EVP_PKEY_get_raw_public_key(key->pair, point, &count) == 1 && copy_out(output, point, count);
        case SL_CRYPTO_SEED: return sl_crypto_key_part(key, SL_CRYPTO_D, output);
    }
    return false;
}

bool sl_crypto_key_encode(const sl_crypto_key *key, sl_crypto_format format, sl_crypto_output *output) {
    *output = (sl_crypto_output){NULL, 0};
    if (key->kind == SL_CRYPTO_SECRET) return format == SL_CRYPTO_SEED && copy_out(output, key->bytes, key->count);
    bool done = encode(key, format, output);
    ERR_clear_error();
    return done;
}

// RSA's numbers are as short as they can be, those of curves as wide as the field.
static bool number_out(const sl_crypto_key *key, const char *name, sl_crypto_output *output) {
    BIGNUM *number = NULL;
    bool done = EVP_PKEY_get_bn_param(key->pair, name, &number) == 1;
    if (done) {
        size_t count = key->kind == SL_CRYPTO_EC ? sl_crypto_curve_bytes(key->curve) : (size_t)BN_num_bytes(number);
        done = sl_crypto_reserve(output, count) && BN_bn2binpad(number, output->start, (int)count) == (int)count;
    }
    BN_clear_free(number);
    return done;
}

static bool part_out(const sl_crypto_key *key, sl_crypto_part part, sl_crypto_output *output) {
    static const char *const rsa_names[SL_CRYPTO_RSA_PARTS] = {
        OSSL_PKEY_PARAM_RSA_N,       OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    bool is_secret = part != SL_CRYPTO_N && part != SL_CRYPTO_E && part != SL_CRYPTO_X && part != SL_CRYPTO_Y;
    if (is_secret && !key->is_private) return false;
    if (key->kind == SL_CRYPTO_RSA) return part < SL_CRYPTO_RSA_PARTS && number_out(key, rsa_names[part], output);
    if (key->kind == SL_CRYPTO_EC) {
        switch (part) {
            case SL_CRYPTO_D: return number_out(key, OSSL_PKEY_PARAM_PRIV_KEY, output);
            case SL_CRYPTO_X: return number_out(key, OSSL_PKEY_PARAM_EC_PUB_X, output);
            case SL_CRYPTO_Y: return number_out(key, OSSL_PKEY_PARAM_EC_PUB_Y, output);
            default: return false;
        }
    }
    if (part == SL_CRYPTO_X) return encode(key, SL_CRYPTO_RAW, output);
    uint8_t seed[curve25519_bytes];
    size_t count = sizeof seed;
    bool done = part == SL_CRYPTO_D && EVP_PKEY_get_raw_private_key(key->pair, seed, &count) == 1 && copy_out(output, seed, count);
    OPENSSL_cleanse(seed, sizeof seed);
    return done;
}

bool sl_crypto_key_part(const sl_crypto_key *key, sl_crypto_part part, sl_crypto_output *output) {
    *output = (sl_crypto_output){NULL, 0};
    bool done = key->kind != SL_CRYPTO_SECRET && part_out(key, part, output);
    ERR_clear_error();
    return done;
}

// ---- Pairs ----

sl_crypto_key *sl_crypto_key_public(const sl_crypto_key *key) {
    sl_crypto_output form;
    if (key->kind != SL_CRYPTO_RSA) {
        if (!sl_crypto_key_encode(key, SL_CRYPTO_RAW, &form)) return NULL;
        sl_crypto_key *made = sl_crypto_key_decode((sl_crypto_kind)key->kind, key->curve, SL_CRYPTO_RAW, (sl_crypto_bytes){form.start, form.count});
        sl_crypto_output_free(form);
        return made;
    }
    sl_crypto_output exponent = {NULL, 0};
    sl_crypto_key *made = NULL;
    if (sl_crypto_key_part(key, SL_CRYPTO_N, &form) && sl_crypto_key_part(key, SL_CRYPTO_E, &exponent)) {
        const sl_crypto_bytes parts[SL_CRYPTO_RSA_PARTS] = {{form.start, form.count}, {exponent.start, exponent.count}};
        made = sl_crypto_key_rsa(parts);
    }
    sl_crypto_output_free(form);
    sl_crypto_output_free(exponent);
    return made;
}

// 0: cancelled.
static int look(EVP_PKEY_CTX *context) { return !sl_crypto_is_cancelled(((const sl_crypto_job *)EVP_PKEY_CTX_get_app_data(context))->cancelled); }

static bool set_rsa_size(sl_crypto_job *job, EVP_PKEY_CTX *context) {
    BIGNUM *exponent = job->data.count > INT32_MAX ? NULL : BN_bin2bn(job->data.start, (int)job->data.count, NULL);
    // OpenSSL checks neither that it is odd nor that it is small.
    bool done = exponent != NULL && BN_is_odd(exponent) && !BN_is_one(exponent) && BN_num_bits(exponent) <= 32 && job->number <= OPENSSL_RSA_MAX_MODULUS_BITS &&
                EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)job->number) == 1 && EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, exponent) == 1;
    BN_free(exponent);
    return done;
}

bool sl_crypto_run_generate(sl_crypto_job *job) {
    sl_crypto_kind kind = job->operation == SL_CRYPTO_GENERATE_RSA ? SL_CRYPTO_RSA : (sl_crypto_kind)job->number;
    const char *name = name_of(kind);
    if (name == NULL || (kind == SL_CRYPTO_RSA) != (job->operation == SL_CRYPTO_GENERATE_RSA)) return false;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
    EVP_PKEY *pair = NULL;
    bool done = context != NULL && EVP_PKEY_keygen_init(context) == 1;
    if (done && kind == SL_CRYPTO_RSA) done = set_rsa_size(job, context);
    if (done && kind == SL_CRYPTO_EC) done = sl_crypto_curve_name(job->curve) != NULL && EVP_PKEY_CTX_set_group_name(context, sl_crypto_curve_name(job->curve)) == 1;
    if (done) {
        EVP_PKEY_CTX_set_app_data(context, job);
        EVP_PKEY_CTX_set_cb(context, look);
        done = EVP_PKEY_generate(context, &pair) == 1;
    }
    EVP_PKEY_CTX_free(context);
    if (!done) {
        EVP_PKEY_free(pair);
        return false;
    }
    job->made = sl_crypto_key_of(pair, kind, job->curve, true);
    return job->made != NULL;
}
