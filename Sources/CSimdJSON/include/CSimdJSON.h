// simdjson behind a plain C header, for the target `Wire`: the only place that sees simdjson.h.
//
// Only its first stage is used, which finds where the tokens of a JSON text begin and checks its UTF-8. What the tokens mean is read
// from the text itself, so there is no second copy of it, no tree and no number that has already been rounded.

#ifndef SL_CSIMDJSON_H
#define SL_CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sl_json_status {
    SL_JSON_OK = 0,
    SL_JSON_BAD_UTF8,
    /// A control character in a string.
    SL_JSON_CONTROL_CHARACTER,
    SL_JSON_UNCLOSED_STRING,
    /// Nothing but white space.
    SL_JSON_EMPTY,
    SL_JSON_TOO_LARGE,
    SL_JSON_NO_MEMORY,
    SL_JSON_OTHER,
} sl_json_status;

/// How many texts a thread can have indexed at a time: a document, and a text inside of one of its strings.
#define SL_JSON_LEVELS 2

/// Finds the tokens of the `count` bytes at `text`, which need no padding: the places of `{ } [ ] : ,`, of the opening quote of each
/// string and of the first byte of each other run that is no white space. `*places` holds `*place_count` of them in ascending order and one more, which is
/// `count`; it belongs to the calling thread and is valid until its next call with the same `level` (0 to SL_JSON_LEVELS - 1) or of
/// `sl_json_forget`. Takes at most 4 bytes for each byte of the text.
sl_json_status sl_json_index(
    int level, const uint8_t *_Nonnull text, size_t count, const uint32_t *_Nullable *_Nonnull places, size_t *_Nonnull place_count);

/// Gives back what the calling thread's level keeps for its next text, if that is more than a few hundred kilobytes.
void sl_json_forget(int level);

/// The number whose JSON form the `count` bytes at `text` are; whether they are is the caller's care. Infinite when it is too large.
double sl_json_double(const char *_Nonnull text, size_t count);

/// Whether the bytes are UTF-8. Any thread.
bool sl_utf8_is_valid(const uint8_t *_Nonnull bytes, size_t count);

#ifdef __cplusplus
}
#endif

#endif
