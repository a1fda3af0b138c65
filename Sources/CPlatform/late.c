// The sources that a program's imports ask for (Sources/Platform/js/late), by name. A test compares this list with the folder.
#include "sl_platform.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char web_crypto_js[] = {
#embed "../Platform/js/late/web_crypto.js"
};

static const sl_platform_source sources[] = {
    {"web_crypto", web_crypto_js, sizeof web_crypto_js},
};

const sl_platform_source *sl_platform_late_sources(size_t *count) {
    *count = sizeof sources / sizeof sources[0];
    return sources;
}
