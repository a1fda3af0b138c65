// The JavaScript sources of the platform (Sources/Platform/js), embedded in the binary: run to make the start-up snapshot, or at a
// boot without one.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

typedef struct {
    const char *name;  // file name, such as "00_primordials.js"
    const char *bytes; // UTF-8, not terminated
    size_t length;
} sl_platform_source;

// All sources, in the order they run.
const sl_platform_source *sl_platform_sources(size_t *count);

// Sources that are compiled when a program asks for them; names without ".js", in alphabetical order.
const sl_platform_source *sl_platform_late_sources(size_t *count);

// The sources of the code validator: acorn, which is whole by itself, and those that are one text together.
const sl_platform_source *sl_platform_check_sources(size_t *count);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
