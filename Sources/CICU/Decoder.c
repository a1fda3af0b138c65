// The decoders of https://encoding.spec.whatwg.org/. The standard's take a byte at a time, remember it, and give bytes back to the stream after an error; these
// look ahead in a piece of memory and take only what is used, which is the same. What a piece leaves unused at its end (at most three bytes) waits in the state.
// The memory may be shared, so what is looked up in a table is read once, and checked as it is used.
#include "CICU.h"
#include "Indexes.h"
#include <string.h>

/// A piece of memory that is being decoded.
typedef struct {
    const uint8_t *bytes;
    size_t length;
    size_t at;       // bytes used
    uint16_t *units; // where the next one goes
    bool fatal;
    bool last; // nothing comes after this piece
    bool failed;
} piece;

/// Uses `count` bytes for an error. False: stop.
static inline bool error(piece *p, size_t count) {
    p->at += count;
    if (p->fatal) {
        p->failed = true;
        return false;
    }
    *p->units++ = 0xFFFD;
    return true;
}

static inline void put(piece *p, uint32_t point) {
    if (point > 0xFFFF) {
        *p->units++ = (uint16_t)(0xD7C0 + (point >> 10));
        *p->units++ = (uint16_t)(0xDC00 | (point & 0x3FF));
    } else {
        *p->units++ = (uint16_t)point;
    }
}

/// Copies bytes below 0x80, eight at a time.
static inline void take_ascii(piece *p) {
    size_t at = p->at;
    uint16_t *units = p->units;
    for (; at + 8 <= p->length; at += 8, units += 8) {
        uint64_t word;
        memcpy(&word, p->bytes + at, sizeof word);
        if ((word & 0x8080808080808080) != 0) break;
        for (int i = 0; i < 8; i++) units[i] = p->bytes[at + (size_t)i];
    }
    for (; at < p->length && p->bytes[at] < 0x80; at++) *units++ = p->bytes[at];
    p->at = at;
    p->units = units;
}

static inline bool within(unsigned byte, unsigned first, unsigned last) { return byte - first <= last - first; }

/// A lead byte with nothing behind it. False: stop.
static inline bool ends(piece *p) { return p->last && error(p, p->length - p->at); }

/// After a lead byte and one that does not belong to it: an ASCII byte is given back.
static inline bool bad_trail(piece *p, size_t before, uint8_t byte) { return error(p, byte < 0x80 ? before : before + 1); }

enum { no_pointer = UINT32_MAX };

/// Takes sequences of two bytes as long as all is well; what is not is left to the caller. `pointer_of` is inlined.
__attribute__((always_inline)) static inline void take_pairs(piece *p, const uint16_t *points, uint32_t (*pointer_of)(uint8_t, uint8_t)) {
    const uint8_t *bytes = p->bytes;
    uint16_t *units = p->units;
    const size_t length = p->length;
    size_t at = p->at;
    for (; at + 1 < length; at += 2) {
        const uint32_t pointer = pointer_of(bytes[at], bytes[at + 1]);
        if (pointer == no_pointer || points[pointer] == 0) break;
        *units++ = points[pointer];
    }
    p->at = at;
    p->units = units;
}

static inline uint32_t gb18030_pointer(uint8_t lead, uint8_t trail) {
    if (!within(lead, 0x81, 0xFE) || trail < 0x40 || trail == 0x7F || trail == 0xFF) return no_pointer;
    return (lead - 0x81u) * 190 + trail - (trail < 0x7F ? 0x40u : 0x41u);
}

static inline uint32_t big5_pointer(uint8_t lead, uint8_t trail) {
    if (!within(lead, 0x81, 0xFE)) return no_pointer;
    if (within(trail, 0xA1, 0xFE)) return (lead - 0x81u) * 157 + trail - 0x62u;
    return within(trail, 0x40, 0x7E) ? (lead - 0x81u) * 157 + trail - 0x40u : no_pointer;
}

static inline uint32_t shift_jis_pointer(uint8_t lead, uint8_t trail) {
    if (trail < 0x40 || trail == 0x7F || trail > 0xFC) return no_pointer;
    const uint32_t column = trail - (trail < 0x7F ? 0x40u : 0x41u);
    if (within(lead, 0x81, 0x9F)) return (lead - 0x81u) * 188 + column;
    return within(lead, 0xE0, 0xFC) ? (lead - 0xC1u) * 188 + column : no_pointer;
}

static inline uint32_t euc_kr_pointer(uint8_t lead, uint8_t trail) {
    return within(lead, 0x81, 0xFE) && within(trail, 0x41, 0xFE) ? (lead - 0x81u) * 190 + trail - 0x41u : no_pointer;
}

static inline uint32_t euc_jp_pointer(uint8_t lead, uint8_t trail) {
    return within(lead, 0xA1, 0xFE) && within(trail, 0xA1, 0xFE) ? (lead - 0xA1u) * 94 + trail - 0xA1u : no_pointer;
}

// https://encoding.spec.whatwg.org/#single-byte-decoder
static void single_byte(piece *p, const uint16_t *table) {
    while (p->at < p->length) {
        take_ascii(p);
        for (; p->at < p->length; p->at++) {
            const uint8_t byte = p->bytes[p->at];
            if (byte < 0x80) break;
            const uint16_t point = table[byte - 0x80];
            if (point != 0xFFFF) *p->units++ = point;
            else if (!error(p, 0)) return;
        }
    }
}

// https://encoding.spec.whatwg.org/#x-user-defined-decoder
static void user_defined(piece *p) {
    for (; p->at < p->length; p->at++) *p->units++ = (uint16_t)(p->bytes[p->at] + (p->bytes[p->at] < 0x80 ? 0 : 0xF700));
}

// https://encoding.spec.whatwg.org/#gb18030-decoder
static void gb18030(piece *p, const sl_index *two, const sl_index *four) {
    for (;;) {
        take_ascii(p);
        take_pairs(p, two->points, gb18030_pointer);
        if (p->at >= p->length) return;
        const uint8_t *b = p->bytes + p->at;
        if (b[0] < 0x80) continue;
        const size_t left = p->length - p->at;
        if (b[0] == 0x80) {
            *p->units++ = 0x20AC;
            p->at++;
            continue;
        }
        if (b[0] == 0xFF) {
            if (!error(p, 1)) return;
            continue;
        }
        if (left < 2) {
            if (!ends(p)) return;
            continue;
        }
        if (within(b[1], 0x30, 0x39)) {
            if (left > 2 && !within(b[2], 0x81, 0xFE)) {
                if (!error(p, 1)) return;
                continue;
            }
            if (left < 4) {
                if (!ends(p)) return;
                continue;
            }
            if (!within(b[3], 0x30, 0x39)) {
                if (!error(p, 1)) return;
                continue;
            }
            // https://encoding.spec.whatwg.org/#index-gb18030-ranges-code-point
            const uint32_t pointer = ((b[0] - 0x81u) * 10 + b[1] - 0x30u) * 1260 + (b[2] - 0x81u) * 10 + b[3] - 0x30u;
            const uint32_t point = pointer < sl_gb18030_four_count ? four->points[pointer] : within(pointer, 189000, 1237575) ? 0x10000 + pointer - 189000 : 0;
            if (point != 0) {
                put(p, point);
                p->at += 4;
            } else if (!error(p, 4)) {
                return;
            }
            continue;
        }
        if (!bad_trail(p, 1, b[1])) return;
    }
}

// https://encoding.spec.whatwg.org/#big5-decoder
static void big5(piece *p, const sl_index *index) {
    for (;;) {
        take_ascii(p);
        take_pairs(p, index->points, big5_pointer);
        if (p->at >= p->length) return;
        const uint8_t *b = p->bytes + p->at;
        if (b[0] < 0x80) continue;
        if (!within(b[0], 0x81, 0xFE)) {
            if (!error(p, 1)) return;
            continue;
        }
        if (p->length - p->at < 2) {
            if (!ends(p)) return;
            continue;
        }
        const uint32_t pointer = big5_pointer(b[0], b[1]);
        if (pointer == 1133 || pointer == 1135 || pointer == 1164 || pointer == 1166) { // two characters in one
            *p->units++ = pointer < 1150 ? 0xCA : 0xEA;
            *p->units++ = pointer == 1133 || pointer == 1164 ? 0x304 : 0x30C;
            p->at += 2;
        } else if (pointer != no_pointer && index->plane2[pointer] != 0) {
            put(p, 0x20000u | index->plane2[pointer]);
            p->at += 2;
        } else if (!bad_trail(p, 1, b[1])) {
            return;
        }
    }
}

// https://encoding.spec.whatwg.org/#euc-jp-decoder
static void euc_jp(piece *p, const sl_index *jis0208, const sl_index *jis0212) {
    for (;;) {
        take_ascii(p);
        take_pairs(p, jis0208->points, euc_jp_pointer);
        if (p->at >= p->length) return;
        const uint8_t *b = p->bytes + p->at;
        if (b[0] < 0x80) continue;
        const size_t left = p->length - p->at;
        if (b[0] != 0x8E && b[0] != 0x8F && !within(b[0], 0xA1, 0xFE)) {
            if (!error(p, 1)) return;
            continue;
        }
        if (left < 2) {
            if (!ends(p)) return;
            continue;
        }
        if (b[0] == 0x8E && within(b[1], 0xA1, 0xDF)) {
            *p->units++ = (uint16_t)(0xFF61 - 0xA1 + b[1]);
            p->at += 2;
            continue;
        }
        if (b[0] != 0x8F || !within(b[1], 0xA1, 0xFE)) {
            if (!bad_trail(p, 1, b[1])) return;
            continue;
        }
        if (left < 3) {
            if (!ends(p)) return;
            continue;
        }
        const uint32_t pointer = euc_jp_pointer(b[1], b[2]);
        const uint16_t point = pointer == no_pointer ? 0 : jis0212->points[pointer];
        if (point != 0) {
            *p->units++ = point;
            p->at += 3;
        } else if (!bad_trail(p, 2, b[2])) {
            return;
        }
    }
}

// https://encoding.spec.whatwg.org/#shift_jis-decoder
static void shift_jis(piece *p, const sl_index *index) {
    for (;;) {
        take_ascii(p);
        take_pairs(p, index->points, shift_jis_pointer);
        if (p->at >= p->length) return;
        const uint8_t *b = p->bytes + p->at;
        if (b[0] < 0x80) continue;
        if (b[0] == 0x80 || within(b[0], 0xA1, 0xDF)) {
            *p->units++ = (uint16_t)(b[0] == 0x80 ? 0x80 : 0xFF61 - 0xA1 + b[0]);
            p->at++;
            continue;
        }
        if (!within(b[0], 0x81, 0x9F) && !within(b[0], 0xE0, 0xFC)) {
            if (!error(p, 1)) return;
            continue;
        }
        if (p->length - p->at < 2) {
            if (!ends(p)) return;
            continue;
        }
        if (!bad_trail(p, 1, b[1])) return;
    }
}

// https://encoding.spec.whatwg.org/#euc-kr-decoder
static void euc_kr(piece *p, const sl_index *index) {
    for (;;) {
        take_ascii(p);
        take_pairs(p, index->points, euc_kr_pointer);
        if (p->at >= p->length) return;
        const uint8_t *b = p->bytes + p->at;
        if (b[0] < 0x80) continue;
        if (!within(b[0], 0x81, 0xFE)) {
            if (!error(p, 1)) return;
            continue;
        }
        if (p->length - p->at < 2) {
            if (!ends(p)) return;
            continue;
        }
        if (!bad_trail(p, 1, b[1])) return;
    }
}

// https://encoding.spec.whatwg.org/#iso-2022-jp-decoder
enum { mode_ascii, mode_roman, mode_katakana, mode_two_bytes };

/// The state that an escape sequence names, or -1.
static int escape(uint8_t first, uint8_t second) {
    if (first == 0x28) return second == 0x42 ? mode_ascii : second == 0x4A ? mode_roman : second == 0x49 ? mode_katakana : -1;
    return first == 0x24 && (second == 0x40 || second == 0x42) ? mode_two_bytes : -1;
}

static void iso_2022_jp(piece *p, sl_decoder_state *state, const sl_index *jis0208) {
    while (p->at < p->length) {
        const uint8_t *b = p->bytes + p->at;
        const size_t left = p->length - p->at;
        if (b[0] == 0x1B) {
            const bool begins = left == 1 || b[1] == 0x24 || b[1] == 0x28;
            if (left < 3 && begins && !p->last) return;
            const int mode = left < 3 ? -1 : escape(b[1], b[2]);
            if (mode >= 0) {
                const bool twice = state->output != 0; // nothing came since the last sequence
                state->mode = (uint8_t)mode;
                state->output = 1;
                p->at += 3;
                if (twice && !error(p, 0)) return;
            } else {
                state->output = 0;
                if (!error(p, 1)) return;
            }
            continue;
        }
        state->output = 0;
        uint16_t point = 0;
        size_t used = 1;
        bool is_nul = false;
        switch (state->mode) {
        case mode_ascii:
        case mode_roman:
            if (b[0] < 0x80 && b[0] != 0x0E && b[0] != 0x0F) {
                point = state->mode == mode_roman && b[0] == 0x5C ? 0xA5 : state->mode == mode_roman && b[0] == 0x7E ? 0x203E : b[0];
                is_nul = b[0] == 0;
            }
            break;
        case mode_katakana:
            if (within(b[0], 0x21, 0x5F)) point = (uint16_t)(0xFF61 - 0x21 + b[0]);
            break;
        default:
            if (!within(b[0], 0x21, 0x7E)) break;
            if (left < 2 && !p->last) return;
            if (left < 2 || b[1] == 0x1B) break;
            used = 2;
            const uint32_t pointer = within(b[1], 0x21, 0x7E) ? euc_jp_pointer(b[0] | 0x80, b[1] | 0x80) : no_pointer;
            if (pointer != no_pointer) point = jis0208->points[pointer];
        }
        if (point != 0 || is_nul) {
            *p->units++ = point;
            p->at += used;
        } else if (!error(p, used)) {
            return;
        }
    }
}

// https://encoding.spec.whatwg.org/#shared-utf-16-decoder
static void utf_16(piece *p, bool big_endian) {
    const uint8_t *bytes = p->bytes;
    const unsigned high = big_endian ? 0 : 1, low = 1 - high;
    for (;;) {
        size_t at = p->at;
        uint16_t *units = p->units;
        unsigned unit = 0;
        for (; at + 1 < p->length; at += 2) {
            unit = (unsigned)(bytes[at + high] << 8 | bytes[at + low]);
            if ((unit & 0xF800) == 0xD800) break;
            *units++ = (uint16_t)unit;
        }
        p->at = at;
        p->units = units;
        const size_t left = p->length - at;
        if (left == 0) return;
        if (left == 1) {
            if (!ends(p)) return;
        } else if (unit >= 0xDC00) {
            if (!error(p, 2)) return;
        } else if (left < 4) {
            if (!ends(p)) return;
        } else {
            const unsigned next = (unsigned)(bytes[at + 2 + high] << 8 | bytes[at + 2 + low]);
            if ((next & 0xFC00) == 0xDC00) {
                *p->units++ = (uint16_t)unit;
                *p->units++ = (uint16_t)next;
                p->at += 4;
            } else if (!error(p, 2)) {
                return;
            }
        }
    }
}

// https://encoding.spec.whatwg.org/#utf-8-decoder
static void utf_8(piece *p) {
    for (;;) {
        take_ascii(p);
        const uint8_t *bytes = p->bytes;
        const size_t length = p->length;
        size_t at = p->at;
        uint16_t *units = p->units;
        // What most texts have, without a look at the rest: two bytes; three and four of which the second has no narrower range; a little ASCII in between.
        while (at + 3 < length) {
            const uint8_t lead = bytes[at], second = bytes[at + 1], third = bytes[at + 2];
            if (within(lead, 0xC2, 0xDF) && within(second, 0x80, 0xBF)) {
                *units++ = (uint16_t)((lead & 0x1F) << 6 | (second & 0x3F));
                at += 2;
            } else if (within(lead, 0xE1, 0xEC) && within(second, 0x80, 0xBF) && within(third, 0x80, 0xBF)) {
                *units++ = (uint16_t)((lead & 0x0F) << 12 | (second & 0x3F) << 6 | (third & 0x3F));
                at += 3;
            } else if (lead < 0x80) {
                *units++ = lead;
                at++;
                if ((second | third | bytes[at + 2]) < 0x80) break; // perhaps a longer run
            } else if (within(lead, 0xF1, 0xF3) || (lead == 0xF0 && second >= 0x90)) {
                const uint8_t fourth = bytes[at + 3];
                if (!within(second, 0x80, 0xBF) || !within(third, 0x80, 0xBF) || !within(fourth, 0x80, 0xBF)) break;
                const uint32_t point = (lead & 0x07u) << 18 | (second & 0x3Fu) << 12 | (third & 0x3Fu) << 6 | (fourth & 0x3Fu);
                *units++ = (uint16_t)(0xD7C0 + (point >> 10));
                *units++ = (uint16_t)(0xDC00 | (point & 0x3FF));
                at += 4;
            } else {
                break;
            }
        }
        p->at = at;
        p->units = units;
        if (at >= length) return;
        const uint8_t *b = bytes + at;
        const size_t left = length - at;
        if (b[0] < 0x80) continue;
        const size_t needed = within(b[0], 0xC2, 0xDF) ? 2 : within(b[0], 0xE0, 0xEF) ? 3 : within(b[0], 0xF0, 0xF4) ? 4 : 0;
        if (needed == 0) {
            if (!error(p, 1)) return;
            continue;
        }
        const unsigned first = b[0] == 0xE0 ? 0xA0 : b[0] == 0xF0 ? 0x90 : 0x80, last = b[0] == 0xED ? 0x9F : b[0] == 0xF4 ? 0x8F : 0xBF;
        size_t good = 1; // bytes that belong together
        if (left > 1 && within(b[1], first, last)) {
            for (good = 2; good < needed && good < left && within(b[good], 0x80, 0xBF);) good++;
        }
        if (good == needed) {
            uint32_t point = b[0] & (0x7Fu >> needed);
            for (size_t i = 1; i < needed; i++) point = point << 6 | (b[i] & 0x3Fu);
            put(p, point);
            p->at += needed;
        } else if (good == left) {
            if (!ends(p)) return;
        } else if (!error(p, good)) {
            return;
        }
    }
}

/// False: a table is missing.
static bool decode(sl_encoding encoding, sl_decoder_state *state, piece *p) {
    switch (encoding) {
    case SL_GBK:
    case SL_GB18030: {
        const sl_index *two = sl_gb18030(), *four = sl_gb18030_four();
        if (two == NULL || four == NULL) return false;
        gb18030(p, two, four);
        return true;
    }
    case SL_BIG5: {
        const sl_index *index = sl_big5();
        if (index != NULL) big5(p, index);
        return index != NULL;
    }
    case SL_EUC_JP: {
        const sl_index *jis0208 = sl_jis0208(), *jis0212 = sl_jis0212();
        if (jis0208 == NULL || jis0212 == NULL) return false;
        euc_jp(p, jis0208, jis0212);
        return true;
    }
    case SL_ISO_2022_JP: {
        const sl_index *index = sl_jis0208();
        if (index != NULL) iso_2022_jp(p, state, index);
        return index != NULL;
    }
    case SL_SHIFT_JIS: {
        const sl_index *index = sl_jis0208();
        if (index != NULL) shift_jis(p, index);
        return index != NULL;
    }
    case SL_EUC_KR: {
        const sl_index *index = sl_euc_kr();
        if (index != NULL) euc_kr(p, index);
        return index != NULL;
    }
    case SL_UTF_16BE: utf_16(p, true); return true;
    case SL_UTF_16LE: utf_16(p, false); return true;
    case SL_X_USER_DEFINED: user_defined(p); return true;
    case SL_UTF_8: utf_8(p); return true;
    default: {
        const uint16_t *table = sl_single_byte((int)encoding);
        if (table != NULL) single_byte(p, table);
        return table != NULL;
    }
    }
}

ptrdiff_t sl_decode(sl_encoding encoding, sl_decoder_state *state, const uint8_t *bytes, size_t length, bool fatal, bool last, uint16_t *units) {
    uint16_t *const start = units;
    size_t used = 0; // of bytes
    piece p = {.bytes = bytes, .length = length, .units = units, .fatal = fatal, .last = last};
    if (state->count > sizeof state->pending) state->count = sizeof state->pending;
    if (state->count > 0) {
        // What waits, and as much of the piece as can belong to it, in one place.
        uint8_t joint[sizeof state->pending + 8];
        const size_t waiting = state->count;
        const size_t taken = length < 8 ? length : 8;
        memcpy(joint, state->pending, waiting);
        if (taken > 0) memcpy(joint + waiting, bytes, taken);
        piece first = p;
        first.bytes = joint;
        first.length = waiting + taken;
        first.last = last && taken == length;
        if (!decode(encoding, state, &first)) return -2;
        state->count = 0;
        if (first.failed) goto failed;
        if (first.at < waiting) { // so the whole piece is in there
            state->count = (uint8_t)(first.length - first.at);
            memcpy(state->pending, joint + first.at, state->count);
            return first.units - start;
        }
        used = first.at - waiting;
        p.units = first.units;
    }
    p.at = used;
    if (used < length || last) {
        if (!decode(encoding, state, &p)) return -2;
        if (p.failed) goto failed;
    }
    if (last) {
        memset(state, 0, sizeof *state);
    } else {
        state->count = (uint8_t)(length - p.at);
        if (state->count > 0) memcpy(state->pending, bytes + p.at, state->count);
    }
    return p.units - start;
failed:
    memset(state, 0, sizeof *state);
    return -1;
}
