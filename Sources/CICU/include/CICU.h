// Text encodings and domain names by ICU, behind names of our own: ICU's functions carry the library's version in their names, by macros that Swift cannot
// import. The library is the one libnode is linked against, so a worker has it in memory anyway.
//
// ICU gives the character tables. How a decoder goes through bytes (what an error is, how much of a broken sequence is given back) is written here as
// https://encoding.spec.whatwg.org/ has it, because ICU's converters go their own ways.
//
// All functions may be called from any thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The encodings of the standard but for `replacement`, in its order, UTF-8 last. 34_encoding.js names them by these numbers.
typedef enum {
    SL_IBM866, SL_ISO_8859_2, SL_ISO_8859_3, SL_ISO_8859_4, SL_ISO_8859_5, SL_ISO_8859_6, SL_ISO_8859_7, SL_ISO_8859_8, SL_ISO_8859_8_I, SL_ISO_8859_10,
    SL_ISO_8859_13, SL_ISO_8859_14, SL_ISO_8859_15, SL_ISO_8859_16, SL_KOI8_R, SL_KOI8_U, SL_MACINTOSH, SL_WINDOWS_874, SL_WINDOWS_1250, SL_WINDOWS_1251,
    SL_WINDOWS_1252, SL_WINDOWS_1253, SL_WINDOWS_1254, SL_WINDOWS_1255, SL_WINDOWS_1256, SL_WINDOWS_1257, SL_WINDOWS_1258, SL_X_MAC_CYRILLIC,
    SL_GBK, SL_GB18030, SL_BIG5, SL_EUC_JP, SL_ISO_2022_JP, SL_SHIFT_JIS, SL_EUC_KR, SL_UTF_16BE, SL_UTF_16LE, SL_X_USER_DEFINED, SL_UTF_8,
    SL_ENCODING_COUNT
} sl_encoding;

/// What a decoder keeps from one piece of a stream to the next. All zero at the start. Any content is safe.
typedef struct {
    uint8_t pending[3]; // the beginning of a character
    uint8_t count;      // of pending
    uint8_t mode;       // of ISO-2022-JP: which characters come
    uint8_t output;     // of ISO-2022-JP: the flag of that name
    uint8_t reserved[2];
} sl_decoder_state;

/// The most units that decoding `length` bytes can give.
static inline size_t sl_decode_units_max(size_t length) { return length + 4; }

/// Decodes a piece of a stream to UTF-16.
/// - `last`: the stream ends with this piece; the state is then as at the start.
/// - `fatal`: the first error ends it: -1, with the state as at the start. Else errors are U+FFFD.
/// - `units`: room for sl_decode_units_max(length).
/// Returns how many units were written. -2: the character table could not be made (ICU's data has no such converter).
ptrdiff_t sl_decode(sl_encoding encoding, sl_decoder_state *state, const uint8_t *_Nullable bytes, size_t length, bool fatal, bool last, uint16_t *units);

/// UTS 46 processing of a domain in UTF-8, not transitional, by the options of https://url.spec.whatwg.org/#concept-domain-to-ascii with beStrict false.
/// `to_ascii` false: ToUnicode instead (https://url.spec.whatwg.org/#concept-domain-to-unicode), which has a result even after an error.
/// The result is UTF-8 in memory that the caller frees; null when it failed.
char *_Nullable sl_domain(const char *domain, size_t length, bool to_ascii, size_t *result_length);

#pragma clang assume_nonnull end
