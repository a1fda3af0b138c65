// Keys and jobs under AddressSanitizer: sound keys in all their forms, changed by chance, and operations with texts, lengths and numbers made by
// chance.  usage: keys_fuzz SECONDS [SEED]
//
// What is looked for beside memory errors: a key that was taken can be told again in its forms, and a job that fails has made nothing.

#include "sl_crypto.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { text_bytes_max = 4096 };

static uint64_t state;

static uint32_t next(void) {  // xorshift64*
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(state * UINT64_C(2685821657736338717) >> 32);
}
static uint32_t below(uint32_t bound) { return next() % bound; }

static void require(bool is_true, const char *what) {
    if (is_true) return;
    fprintf(stderr, "keys_fuzz: %s\n", what);
    abort();
}

typedef struct {
    sl_crypto_kind kind;
    sl_crypto_curve curve;
    sl_crypto_key *key;
} subject;

static subject make(sl_crypto_kind kind, sl_crypto_curve curve) {
    static const uint8_t exponent[] = {1, 0, 1};
    sl_crypto_job job = {.operation = SL_CRYPTO_GENERATE, .curve = curve, .number = kind};
    if (kind == SL_CRYPTO_RSA) {
        job.operation = SL_CRYPTO_GENERATE_RSA;
        job.number = 512;
        job.data = (sl_crypto_bytes){exponent, sizeof exponent};
    }
    require(sl_crypto_run(&job) && job.made != NULL, "no key was made");
    return (subject){kind, curve, job.made};
}

// A copy of its own size, so that the sanitizer sees its ends; a few changes.
static uint8_t *changed(sl_crypto_output form, size_t *count) {
    size_t length = form.count;
    switch (below(6)) {
        case 0: length = below((uint32_t)length + 1); break;
        case 1: length += 1 + below(8); break;
        default: break;
    }
    uint8_t *copy = malloc(length > 0 ? length : 1);
    for (size_t i = 0; i < length; i++) copy[i] = i < form.count ? form.start[i] : (uint8_t)next();
    for (uint32_t changes = below(4); changes > 0 && length > 0; changes--) {
        size_t at = below((uint32_t)length);
        switch (below(4)) {
            case 0: copy[at] ^= (uint8_t)(1u << below(8)); break;
            case 1: copy[at] = (uint8_t)next(); break;
            case 2: copy[at] = below(2) ? 0xFF : 0; break;
            default: memmove(copy + at, copy + below((uint32_t)(length - at)) + at, 1); break;
        }
    }
    *count = length;
    return copy;
}

static void tell(sl_crypto_key *key, sl_crypto_format format) {
    sl_crypto_output output;
    require(sl_crypto_key_at(key, sl_crypto_key_size(key)) == key && sl_crypto_key_bits(key) > 0, "a key is not where it lies");
    require(sl_crypto_key_encode(key, format, &output), "a key that was taken has no form");
    sl_crypto_output_free(output);
    for (int part = SL_CRYPTO_N; part <= SL_CRYPTO_Y; part++) {
        if (sl_crypto_key_part(key, (sl_crypto_part)part, &output)) sl_crypto_output_free(output);
    }
}

static void take(const subject *subject) {
    sl_crypto_format format = (sl_crypto_format)below(4);
    sl_crypto_output form;
    if (!sl_crypto_key_encode(subject->key, format, &form)) return;
    size_t count = 0;
    uint8_t *copy = changed(form, &count);
    sl_crypto_output_free(form);
    sl_crypto_kind kind = below(8) ? subject->kind : (sl_crypto_kind)below(6);
    sl_crypto_curve curve = below(8) ? subject->curve : (sl_crypto_curve)below(5);
    sl_crypto_key *key = sl_crypto_key_decode(kind, curve, format, (sl_crypto_bytes){copy, count});
    free(copy);
    if (key == NULL) return;
    tell(key, format);
    sl_crypto_key_release(key);
}

static void take_parts(const subject *subject) {
    sl_crypto_output outputs[SL_CRYPTO_RSA_PARTS];
    sl_crypto_bytes parts[SL_CRYPTO_RSA_PARTS] = {{NULL, 0}};
    uint8_t *copies[SL_CRYPTO_RSA_PARTS] = {NULL};
    for (int i = 0; i < SL_CRYPTO_RSA_PARTS; i++) {
        if (!sl_crypto_key_part(subject->key, (sl_crypto_part)i, &outputs[i])) continue;
        if (below(20) != 0) copies[i] = changed(outputs[i], &parts[i].count);
        sl_crypto_output_free(outputs[i]);
        parts[i].start = copies[i];
    }
    sl_crypto_key *key = sl_crypto_key_rsa(parts);
    if (key != NULL) {
        tell(key, sl_crypto_key_is_private(key) ? SL_CRYPTO_PKCS8 : SL_CRYPTO_SPKI);
        sl_crypto_key_release(key);
    }
    for (int i = 0; i < SL_CRYPTO_RSA_PARTS; i++) free(copies[i]);
}

static sl_crypto_bytes text(void) {
    static const uint32_t lengths[] = {0, 1, 7, 8, 12, 15, 16, 17, 24, 32, 63, 64, 65, 128, 255, 256};
    size_t count = below(3) ? lengths[below(16)] : below(text_bytes_max);
    uint8_t *bytes = malloc(count > 0 ? count : 1);
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)next();
    return (sl_crypto_bytes){below(16) || count > 0 ? bytes : (free(bytes), NULL), count};
}

static void work(subject *subjects, uint32_t count) {
    static const uint32_t numbers[] = {0, 1, 4, 12, 16, 17, 20, 32, 64, 65, 128, 129, 1000};
    sl_crypto_bytes secret = text();
    subject *one = &subjects[below(count)], *other = &subjects[below(count)];
    sl_crypto_key *key = below(2) ? sl_crypto_key_secret(secret) : below(4) ? (sl_crypto_key_retain(one->key), one->key) : sl_crypto_key_public(one->key);
    sl_crypto_job job = {
        .operation = (sl_crypto_operation)below(SL_CRYPTO_OPERATIONS + 1), .hash = (sl_crypto_hash)below(9), .curve = (sl_crypto_curve)below(5), .number = numbers[below(13)],
        .length = below(600), .key = below(30) ? key : NULL, .other = below(30) ? other->key : NULL, .data = text(), .iv = text(), .extra = text(),
    };
    if (job.operation == SL_CRYPTO_GENERATE_RSA) job.number = below(512);  // none of these is a size
    if (sl_crypto_run(&job)) {
        require((job.made == NULL) || job.output.start == NULL, "a key and bytes were made");
        if (job.made != NULL) sl_crypto_key_release(job.made);
        sl_crypto_output_free(job.output);
    } else {
        require(job.made == NULL && job.output.start == NULL, "a job that failed has made something");
    }
    free((void *)job.data.start);
    free((void *)job.iv.start);
    free((void *)job.extra.start);
    free((void *)secret.start);
    if (key != NULL) sl_crypto_key_release(key);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 10;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)state);
    state = state * 2 + 1;
    subject subjects[] = {
        make(SL_CRYPTO_RSA, 0), make(SL_CRYPTO_EC, SL_CRYPTO_P256), make(SL_CRYPTO_EC, SL_CRYPTO_P384), make(SL_CRYPTO_EC, SL_CRYPTO_P521), make(SL_CRYPTO_ED25519, 0),
        make(SL_CRYPTO_X25519, 0),
    };
    const uint32_t count = sizeof subjects / sizeof subjects[0];
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    uint64_t rounds = 0;
    do {
        for (int i = 0; i < 100; i++, rounds++) {
            switch (below(4)) {
                case 0: work(subjects, count); break;
                case 1: take_parts(&subjects[0]); break;
                default: take(&subjects[below(count)]); break;
            }
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
    for (uint32_t i = 0; i < count; i++) sl_crypto_key_release(subjects[i].key);
    printf("%llu rounds\n", (unsigned long long)rounds);
}
