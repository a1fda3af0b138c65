// Looks for bytes sixteen at a time, for the parsers of log lines. Inline, since the runs are short: a call would cost as much as the search.
// Prefix: sl_. Each function with an `end` may read up to 31 bytes beyond it, which must be readable; what stands there does not matter.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if !defined(__SSE2__)
// One bit at the top of each byte of `word` that is zero; exact for the lowest one.
static inline uint64_t sl_scan_zeros(uint64_t word) {
    return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
}
static inline uint64_t sl_scan_word(const uint8_t *_Nonnull at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}
#endif

/// The first quotation mark, backslash or control character of JSON at or after `at`; `end` if there is none before it.
static inline const uint8_t *_Nonnull sl_scan_json_string(const uint8_t *_Nonnull at, const uint8_t *_Nonnull end) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1F);
    while (at < end) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)at);
        __m128i found = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
            _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
        unsigned mask = (unsigned)_mm_movemask_epi8(found);
        if (mask) {
            at += __builtin_ctz(mask);
            return at < end ? at : end;
        }
        at += 16;
    }
#else
    while (at < end) {
        uint64_t word = sl_scan_word(at);
        uint64_t found = sl_scan_zeros(word ^ 0x2222222222222222u) | sl_scan_zeros(word ^ 0x5C5C5C5C5C5C5C5Cu) |
                         sl_scan_zeros(word & 0xE0E0E0E0E0E0E0E0u);
        if (found) {
            at += __builtin_ctzll(found) / 8;
            return at < end ? at : end;
        }
        at += 8;
    }
#endif
    return end;
}

/// The first of two bytes at or after `at`; `end` if there is none before it.
static inline const uint8_t *_Nonnull sl_scan_either(
    const uint8_t *_Nonnull at, const uint8_t *_Nonnull end, uint8_t one, uint8_t other) {
#if defined(__SSE2__)
    const __m128i first = _mm_set1_epi8((char)one), second = _mm_set1_epi8((char)other);
    while (at < end) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)at);
        unsigned mask =
            (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, first), _mm_cmpeq_epi8(bytes, second)));
        if (mask) {
            at += __builtin_ctz(mask);
            return at < end ? at : end;
        }
        at += 16;
    }
    return end;
#else
    while (at < end && *at != one && *at != other) at++;
    return at;
#endif
}

/// Copies `count` bytes, in whole blocks of sixteen where that is less work: writes up to 15 bytes more, which must be there.
static inline void sl_scan_copy(uint8_t *_Nonnull to, const uint8_t *_Nonnull from, size_t count) {
#if defined(__SSE2__)
    if (count > 64) {
        memcpy(to, from, count);
        return;
    }
    size_t done = 0;
    do {
        _mm_storeu_si128((__m128i *)(to + done), _mm_loadu_si128((const __m128i *)(from + done)));
        done += 16;
    } while (done < count);
#else
    memcpy(to, from, count);
#endif
}

/// How many of the `count` bytes at `at` are `byte`. Reads nothing behind them.
static inline size_t sl_scan_count(const uint8_t *_Nonnull at, size_t count, uint8_t byte) {
    size_t found = 0, done = 0;
#if defined(__SSE2__)
    const __m128i wanted = _mm_set1_epi8((char)byte), zero = _mm_setzero_si128();
    while (count - done >= 16) {
        // Each lane counts to 255 at most.
        size_t blocks = (count - done) / 16 < 255 ? (count - done) / 16 : 255;
        __m128i lanes = zero;
        for (size_t block = 0; block < blocks; block++, done += 16) {
            lanes = _mm_sub_epi8(lanes, _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(at + done)), wanted));
        }
        __m128i sums = _mm_sad_epu8(lanes, zero);
        found += (size_t)_mm_cvtsi128_si64(sums) + (size_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums));
    }
#endif
    for (; done < count; done++) found += at[done] == byte;
    return found;
}
