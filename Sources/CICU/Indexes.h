// The character tables of the multi-byte encodings (https://encoding.spec.whatwg.org/#indexes), made of ICU's at the first use and kept.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    sl_big5_count = 126 * 157,      // pointer (lead - 0x81) * 157 + trail
    sl_euc_kr_count = 126 * 190,    // (lead - 0x81) * 190 + trail - 0x41
    sl_gb18030_count = 126 * 190,   // (lead - 0x81) * 190 + trail
    sl_jis0208_count = 60 * 188,    // as Shift_JIS counts
    sl_jis0212_count = 94 * 94,     // (lead - 0xA1) * 94 + trail - 0xA1
    sl_gb18030_four_count = 39420,  // the four-byte sequences of the basic plane
};

/// Code points by pointer; 0: none here. Those of Big5 beyond the basic plane are all of plane 2, and have their low 16 bits in a table of their own.
typedef struct {
    uint16_t *points;
    uint16_t *plane2; // null: none
} sl_index;

/// Null: ICU has not what it takes.
const sl_index *sl_big5(void);
const sl_index *sl_euc_kr(void);
const sl_index *sl_gb18030(void);
const sl_index *sl_gb18030_four(void);
const sl_index *sl_jis0208(void);
const sl_index *sl_jis0212(void);

/// The 128 code points of the bytes from 0x80 on; 0xFFFF: none. `encoding`: a single-byte one.
const uint16_t *sl_single_byte(int encoding);
