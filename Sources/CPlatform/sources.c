#include "sl_platform.h"

// #embed is C23; SwiftPM builds C targets as clang's default. The compiler lists embedded files as dependencies, so a changed source
// rebuilds this file.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const char primordials[] = {
#embed "../Platform/js/00_primordials.js"
};
static const char errors[] = {
#embed "../Platform/js/05_errors.js"
};
static const char console[] = {
#embed "../Platform/js/10_console.js"
};
static const char trace[] = {
#embed "../Platform/js/20_trace.js"
};
static const char otel_api[] = {
#embed "../Platform/js/21_otel_api.js"
};
static const char timers[] = {
#embed "../Platform/js/30_timers.js"
};
static const char events[] = {
#embed "../Platform/js/32_events.js"
};
static const char encoding[] = {
#embed "../Platform/js/34_encoding.js"
};
static const char url[] = {
#embed "../Platform/js/36_url.js"
};
static const char clone[] = {
#embed "../Platform/js/38_clone.js"
};
static const char performance[] = {
#embed "../Platform/js/40_performance.js"
};
static const char fetch[] = {
#embed "../Platform/js/42_fetch.js"
};
static const char process[] = {
#embed "../Platform/js/50_process.js"
};
static const char start[] = {
#embed "../Platform/js/90_start.js"
};
static const char host[] = {
#embed "../Platform/js/95_host.js"
};

static const sl_platform_source sources[] = {
    {"00_primordials.js", primordials, sizeof primordials},
    {"05_errors.js", errors, sizeof errors},
    {"10_console.js", console, sizeof console},
    {"20_trace.js", trace, sizeof trace},
    {"21_otel_api.js", otel_api, sizeof otel_api},
    {"30_timers.js", timers, sizeof timers},
    {"32_events.js", events, sizeof events},
    {"34_encoding.js", encoding, sizeof encoding},
    {"36_url.js", url, sizeof url},
    {"38_clone.js", clone, sizeof clone},
    {"40_performance.js", performance, sizeof performance},
    {"42_fetch.js", fetch, sizeof fetch},
    {"50_process.js", process, sizeof process},
    {"90_start.js", start, sizeof start},
    {"95_host.js", host, sizeof host},
};

const sl_platform_source *sl_platform_sources(size_t *count) {
    *count = sizeof sources / sizeof *sources;
    return sources;
}
