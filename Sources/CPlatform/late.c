// The sources that a program's imports ask for (Sources/Platform/js/late), by name. A test compares this list with the folder.
#include "sl_platform.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char assert_js[] = {
#embed "../Platform/js/late/assert.js"
};
static const char assert_strict_js[] = {
#embed "../Platform/js/late/assert_strict.js"
};
static const char assertion_error_js[] = {
#embed "../Platform/js/late/assertion_error.js"
};
static const char buffer_js[] = {
#embed "../Platform/js/late/buffer.js"
};
static const char buffer_core_js[] = {
#embed "../Platform/js/late/buffer_core.js"
};
static const char buffer_encodings_js[] = {
#embed "../Platform/js/late/buffer_encodings.js"
};
static const char buffer_numbers_js[] = {
#embed "../Platform/js/late/buffer_numbers.js"
};
static const char buffer_search_js[] = {
#embed "../Platform/js/late/buffer_search.js"
};
static const char deep_equal_js[] = {
#embed "../Platform/js/late/deep_equal.js"
};
static const char crypto_js[] = {
#embed "../Platform/js/late/crypto.js"
};
static const char diagnostics_channel_js[] = {
#embed "../Platform/js/late/diagnostics_channel.js"
};
static const char events_js[] = {
#embed "../Platform/js/late/events.js"
};
static const char node_errors_js[] = {
#embed "../Platform/js/late/node_errors.js"
};
static const char os_js[] = {
#embed "../Platform/js/late/os.js"
};
static const char path_js[] = {
#embed "../Platform/js/late/path.js"
};
static const char path_posix_js[] = {
#embed "../Platform/js/late/path_posix.js"
};
static const char path_win32_js[] = {
#embed "../Platform/js/late/path_win32.js"
};
static const char path_windows_js[] = {
#embed "../Platform/js/late/path_windows.js"
};
static const char punycode_js[] = {
#embed "../Platform/js/late/punycode.js"
};
static const char querystring_js[] = {
#embed "../Platform/js/late/querystring.js"
};
static const char script_attributes_js[] = {
#embed "../Platform/js/late/script_attributes.js"
};
static const char script_items_js[] = {
#embed "../Platform/js/late/script_items.js"
};
static const char script_run_js[] = {
#embed "../Platform/js/late/script_run.js"
};
static const char script_wire_js[] = {
#embed "../Platform/js/late/script_wire.js"
};
static const char stream_transfer_js[] = {
#embed "../Platform/js/late/stream_transfer.js"
};
static const char string_decoder_js[] = {
#embed "../Platform/js/late/string_decoder.js"
};
static const char subtle_aes_js[] = {
#embed "../Platform/js/late/subtle_aes.js"
};
static const char subtle_core_js[] = {
#embed "../Platform/js/late/subtle_core.js"
};
static const char subtle_curves_js[] = {
#embed "../Platform/js/late/subtle_curves.js"
};
static const char subtle_derive_js[] = {
#embed "../Platform/js/late/subtle_derive.js"
};
static const char subtle_hash_js[] = {
#embed "../Platform/js/late/subtle_hash.js"
};
static const char subtle_jwk_js[] = {
#embed "../Platform/js/late/subtle_jwk.js"
};
static const char subtle_rsa_js[] = {
#embed "../Platform/js/late/subtle_rsa.js"
};
static const char url_legacy_js[] = {
#embed "../Platform/js/late/url_legacy.js"
};
static const char url_module_js[] = {
#embed "../Platform/js/late/url_module.js"
};
static const char util_js[] = {
#embed "../Platform/js/late/util.js"
};
static const char util_mime_js[] = {
#embed "../Platform/js/late/util_mime.js"
};
static const char util_parse_args_js[] = {
#embed "../Platform/js/late/util_parse_args.js"
};
static const char util_types_js[] = {
#embed "../Platform/js/late/util_types.js"
};
static const char web_crypto_js[] = {
#embed "../Platform/js/late/web_crypto.js"
};

static const sl_platform_source sources[] = {
    {"assert", assert_js, sizeof assert_js},
    {"assert_strict", assert_strict_js, sizeof assert_strict_js},
    {"assertion_error", assertion_error_js, sizeof assertion_error_js},
    {"buffer", buffer_js, sizeof buffer_js},
    {"buffer_core", buffer_core_js, sizeof buffer_core_js},
    {"buffer_encodings", buffer_encodings_js, sizeof buffer_encodings_js},
    {"buffer_numbers", buffer_numbers_js, sizeof buffer_numbers_js},
    {"buffer_search", buffer_search_js, sizeof buffer_search_js},
    {"deep_equal", deep_equal_js, sizeof deep_equal_js},
    {"crypto", crypto_js, sizeof crypto_js},
    {"diagnostics_channel", diagnostics_channel_js, sizeof diagnostics_channel_js},
    {"events", events_js, sizeof events_js},
    {"node_errors", node_errors_js, sizeof node_errors_js},
    {"os", os_js, sizeof os_js},
    {"path", path_js, sizeof path_js},
    {"path_posix", path_posix_js, sizeof path_posix_js},
    {"path_win32", path_win32_js, sizeof path_win32_js},
    {"path_windows", path_windows_js, sizeof path_windows_js},
    {"punycode", punycode_js, sizeof punycode_js},
    {"querystring", querystring_js, sizeof querystring_js},
    {"script_attributes", script_attributes_js, sizeof script_attributes_js},
    {"script_items", script_items_js, sizeof script_items_js},
    {"script_run", script_run_js, sizeof script_run_js},
    {"script_wire", script_wire_js, sizeof script_wire_js},
    {"stream_transfer", stream_transfer_js, sizeof stream_transfer_js},
    {"string_decoder", string_decoder_js, sizeof string_decoder_js},
    {"subtle_aes", subtle_aes_js, sizeof subtle_aes_js},
    {"subtle_core", subtle_core_js, sizeof subtle_core_js},
    {"subtle_curves", subtle_curves_js, sizeof subtle_curves_js},
    {"subtle_derive", subtle_derive_js, sizeof subtle_derive_js},
    {"subtle_hash", subtle_hash_js, sizeof subtle_hash_js},
    {"subtle_jwk", subtle_jwk_js, sizeof subtle_jwk_js},
    {"subtle_rsa", subtle_rsa_js, sizeof subtle_rsa_js},
    {"url_legacy", url_legacy_js, sizeof url_legacy_js},
    {"url_module", url_module_js, sizeof url_module_js},
    {"util", util_js, sizeof util_js},
    {"util_mime", util_mime_js, sizeof util_mime_js},
    {"util_parse_args", util_parse_args_js, sizeof util_parse_args_js},
    {"util_types", util_types_js, sizeof util_types_js},
    {"web_crypto", web_crypto_js, sizeof web_crypto_js},
};

const sl_platform_source *sl_platform_late_sources(size_t *count) {
    *count = sizeof sources / sizeof sources[0];
    return sources;
}
