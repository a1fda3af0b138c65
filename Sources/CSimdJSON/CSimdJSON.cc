#include "CSimdJSON.h"

#include <charconv>
#include <memory>
#include <simdjson.h>

namespace {

using Parser = simdjson::internal::dom_parser_implementation;

// Kept between texts: a request's tokens take some ten kilobytes, whose pages need not be asked for each time.
thread_local std::unique_ptr<Parser> parsers[SL_JSON_LEVELS];

constexpr size_t capacityLeast = 64 << 10;
constexpr size_t capacityKeptMax = 256 << 10;
// Of the second stage, which is not used.
constexpr size_t depthMax = 1;

simdjson::error_code reserve(std::unique_ptr<Parser> &parser, size_t count) {
    if (parser && parser->capacity() >= count) return simdjson::SUCCESS;
    size_t capacity = count < capacityLeast ? capacityLeast : count;
    if (parser) return parser->allocate(capacity, depthMax);
    return simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, depthMax, parser);
}

sl_json_status status(simdjson::error_code code) {
    switch (code) {
        case simdjson::SUCCESS: return SL_JSON_OK;
        case simdjson::UTF8_ERROR: return SL_JSON_BAD_UTF8;
        case simdjson::UNESCAPED_CHARS: return SL_JSON_CONTROL_CHARACTER;
        case simdjson::UNCLOSED_STRING: return SL_JSON_UNCLOSED_STRING;
        case simdjson::EMPTY: return SL_JSON_EMPTY;
        case simdjson::CAPACITY: return SL_JSON_TOO_LARGE;
        case simdjson::MEMALLOC: return SL_JSON_NO_MEMORY;
        default: return SL_JSON_OTHER;
    }
}

}  // namespace

sl_json_status sl_json_index(int level, const uint8_t *text, size_t count, const uint32_t **places, size_t *place_count) {
    *places = nullptr;
    *place_count = 0;
    if (count == 0) return SL_JSON_EMPTY;
    if (count > simdjson::SIMDJSON_MAXSIZE_BYTES) return SL_JSON_TOO_LARGE;
    auto &parser = parsers[level];
    simdjson::error_code code = reserve(parser, count);
    if (!code) code = parser->stage1(text, count, simdjson::stage1_mode::regular);
    if (code) return status(code);
    *places = parser->structural_indexes.get();
    *place_count = parser->n_structural_indexes;
    return SL_JSON_OK;
}

void sl_json_forget(int level) {
    if (parsers[level] && parsers[level]->capacity() > capacityKeptMax) parsers[level].reset();
}

double sl_json_double(const char *text, size_t count) {
    double value = 0;
    auto result = std::from_chars(text, text + count, value);
    // Out of range: too large and too small look the same there.
    if (result.ec != std::errc()) return simdjson::internal::from_chars(text, text + count);
    return value;
}

bool sl_utf8_is_valid(const uint8_t *bytes, size_t count) {
    return simdjson::validate_utf8(reinterpret_cast<const char *>(bytes), count);
}
