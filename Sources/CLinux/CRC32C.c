// CRC-32C, polynomial 0x1EDC6F41 bit-reversed (RFC 3720, appendix B.4).
#include "CLinux.h"
#include <pthread.h>
#include <string.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

static uint32_t table[8][256];

static void make_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
        table[0][byte] = crc;
    }
    for (int byte = 0; byte < 256; byte++)
        for (int slice = 1; slice < 8; slice++) table[slice][byte] = table[slice - 1][byte] >> 8 ^ table[0][table[slice - 1][byte] & 255];
}

static uint64_t load64(const unsigned char *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

// Eight bytes a step.
uint32_t sl_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_table);
    const unsigned char *at = bytes;
    crc = ~crc;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; count >= 8; count -= 8, at += 8) {
        uint64_t word = load64(at) ^ crc;
        crc = table[7][word & 255] ^ table[6][word >> 8 & 255] ^ table[5][word >> 16 & 255] ^ table[4][word >> 24 & 255] ^
              table[3][word >> 32 & 255] ^ table[2][word >> 40 & 255] ^ table[1][word >> 48 & 255] ^ table[0][word >> 56];
    }
#endif
    for (; count; count--) crc = crc >> 8 ^ table[0][(crc ^ *at++) & 255];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t with_instruction(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    uint64_t sum = ~crc;
    for (; count >= 32; count -= 32, at += 32) {
        sum = __builtin_ia32_crc32di(sum, load64(at));
        sum = __builtin_ia32_crc32di(sum, load64(at + 8));
        sum = __builtin_ia32_crc32di(sum, load64(at + 16));
        sum = __builtin_ia32_crc32di(sum, load64(at + 24));
    }
    for (; count >= 8; count -= 8, at += 8) sum = __builtin_ia32_crc32di(sum, load64(at));
    uint32_t rest = (uint32_t)sum;
    for (; count; count--) rest = __builtin_ia32_crc32qi(rest, *at++);
    return ~rest;
}
static bool has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__)
__attribute__((target("crc"))) static uint32_t with_instruction(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    crc = ~crc;
    for (; count >= 8; count -= 8, at += 8) crc = __crc32cd(crc, load64(at));
    for (; count; count--) crc = __crc32cb(crc, *at++);
    return ~crc;
}
static bool has_instruction(void) { return getauxval(AT_HWCAP) & 1 << 7 /* HWCAP_CRC32 */; }
#else
static uint32_t with_instruction(uint32_t crc, const void *bytes, size_t count) { return sl_crc32c_portable(crc, bytes, count); }
static bool has_instruction(void) { return false; }
#endif

uint32_t sl_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return has_instruction() ? with_instruction(crc, bytes, count) : sl_crc32c_portable(crc, bytes, count);
}
