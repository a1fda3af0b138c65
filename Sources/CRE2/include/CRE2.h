// RE2 behind a plain C header, for the target `Logs`: the only place that sees re2.h. Prefix: sl_re2_.
// A pattern that was made may be matched by any number of threads at a time.

#ifndef SL_CRE2_H
#define SL_CRE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sl_re2 sl_re2;

/// A pattern that takes at most `memory` bytes, its matching included. Null where the pattern is none or takes more; then `why` (of `why_size`
/// bytes, at least 1) says so. The caller owns it until `sl_re2_free`.
sl_re2 *_Nullable sl_re2_new(
    const char *_Nonnull pattern, size_t count, int64_t memory, char *_Nonnull why, size_t why_size);
void sl_re2_free(sl_re2 *_Nonnull pattern);

/// How many groups it captures.
int sl_re2_group_count(const sl_re2 *_Nonnull pattern);
/// The name of group `index` (from 1); null if it has none. Belongs to the pattern.
const char *_Nullable sl_re2_group_name(const sl_re2 *_Nonnull pattern, int index);

/// Whether the pattern fits anywhere in the text. `places` receives start and end of groups 1 to `group_count`; both are -1 for one that took no part.
bool sl_re2_match(
    const sl_re2 *_Nonnull pattern, const uint8_t *_Nonnull text, size_t count, int64_t *_Nullable places, int group_count);

#ifdef __cplusplus
}
#endif

#endif
