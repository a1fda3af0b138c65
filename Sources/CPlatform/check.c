// The sources of the code validator (Sources/Platform/js/check), in the order they are put together, behind acorn, which scripts/setup has put into .deps
// (MIT licence, copyright 2012-2022 by its contributors; github.com/acornjs/acorn).
// A test compares this list with the folder.
#include "sl_platform.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#if !__has_embed("../../.deps/acorn/acorn.js")
#error acorn is missing: run scripts/setup
#endif

static const char acorn_js[] = {
#embed "../../.deps/acorn/acorn.js"
};
static const char parse_js[] = {
#embed "../Platform/js/check/01_parse.js"
};
static const char scope_js[] = {
#embed "../Platform/js/check/02_scope.js"
};
static const char rules_js[] = {
#embed "../Platform/js/check/03_rules.js"
};
static const char rules_code_js[] = {
#embed "../Platform/js/check/04_rules_code.js"
};
static const char rules_objects_js[] = {
#embed "../Platform/js/check/05_rules_objects.js"
};
static const char rules_text_js[] = {
#embed "../Platform/js/check/06_rules_text.js"
};
static const char selector_js[] = {
#embed "../Platform/js/check/07_selector.js"
};
static const char check_js[] = {
#embed "../Platform/js/check/09_check.js"
};

static const sl_platform_source sources[] = {
    {"acorn.js", acorn_js, sizeof acorn_js},
    {"01_parse.js", parse_js, sizeof parse_js},
    {"02_scope.js", scope_js, sizeof scope_js},
    {"03_rules.js", rules_js, sizeof rules_js},
    {"04_rules_code.js", rules_code_js, sizeof rules_code_js},
    {"05_rules_objects.js", rules_objects_js, sizeof rules_objects_js},
    {"06_rules_text.js", rules_text_js, sizeof rules_text_js},
    {"07_selector.js", selector_js, sizeof selector_js},
    {"09_check.js", check_js, sizeof check_js},
};

const sl_platform_source *sl_platform_check_sources(size_t *count) {
    *count = sizeof sources / sizeof *sources;
    return sources;
}
