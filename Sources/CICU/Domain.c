#include "CICU.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uidna.h>

static UIDNA *uts46;

static void open_uts46(void) {
    UErrorCode code = U_ZERO_ERROR;
    uts46 = uidna_openUTS46(
        UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE, &code);
    if (U_FAILURE(code)) uts46 = NULL;
}

// ICU always checks hyphens and lengths; these are the errors that CheckHyphens and VerifyDnsLength false leave out.
static const uint32_t ignored = UIDNA_ERROR_EMPTY_LABEL | UIDNA_ERROR_LABEL_TOO_LONG | UIDNA_ERROR_DOMAIN_NAME_TOO_LONG |
                                UIDNA_ERROR_LEADING_HYPHEN | UIDNA_ERROR_TRAILING_HYPHEN | UIDNA_ERROR_HYPHEN_3_4;

// Unicode 15.1 made six characters valid that are not in ICU 72: the capital sharp s is mapped to the small one and no longer to "ss", and five compatibility
// ideographs have the decomposition that Unicode corrected long ago. ICU sees what they are mapped to.
static const struct {
    const char *from, *to; // UTF-8
} mapped[] = {
    {"\xE1\xBA\x9E", "\xC3\x9F"}, {"\xF0\xAF\xA1\xA8", "\xE3\x9B\xBC"}, {"\xF0\xAF\xA1\xB4", "\xE5\xBD\x93"},
    {"\xF0\xAF\xA4\x9F", "\xF0\xA4\x8E\xAB"}, {"\xF0\xAF\xA5\x9F", "\xE7\xAB\xAE"}, {"\xF0\xAF\xA6\xBF", "\xE4\x97\x97"},
};

/// A copy with these characters replaced, none of which gets longer.
static char *replaced(const char *domain, size_t *length) {
    char *copy = malloc(*length + 1);
    if (copy == NULL) return NULL;
    size_t written = 0;
    for (size_t at = 0; at < *length;) {
        size_t skip = 0;
        for (size_t i = 0; skip == 0 && i < sizeof mapped / sizeof *mapped; i++) {
            const size_t from = strlen(mapped[i].from), to = strlen(mapped[i].to);
            if (*length - at < from || memcmp(domain + at, mapped[i].from, from) != 0) continue;
            memcpy(copy + written, mapped[i].to, to);
            written += to;
            skip = from;
        }
        if (skip == 0) {
            copy[written++] = domain[at];
            skip = 1;
        }
        at += skip;
    }
    *length = written;
    return copy;
}

static char *process(const char *domain, size_t length, bool to_ascii, size_t *result_length);

char *sl_domain(const char *domain, size_t length, bool to_ascii, size_t *result_length) {
    bool has_lead = false; // of what is in the list
    for (size_t i = 0; !has_lead && i < length; i++) has_lead = domain[i] == '\xE1' || domain[i] == '\xF0';
    if (!has_lead) return process(domain, length, to_ascii, result_length);
    char *copy = replaced(domain, &length);
    if (copy == NULL) return NULL;
    char *result = process(copy, length, to_ascii, result_length);
    free(copy);
    return result;
}

static char *process(const char *domain, size_t length, bool to_ascii, size_t *result_length) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_uts46);
    if (uts46 == NULL || length > INT32_MAX / 16) return NULL;
    int32_t capacity = (int32_t)length * 2 + 64;
    for (int attempt = 0; attempt < 2; attempt++) {
        char *result = malloc((size_t)capacity);
        if (result == NULL) return NULL;
        UIDNAInfo info = UIDNA_INFO_INITIALIZER;
        UErrorCode code = U_ZERO_ERROR;
        const int32_t needed = to_ascii ? uidna_nameToASCII_UTF8(uts46, domain, (int32_t)length, result, capacity, &info, &code)
                                        : uidna_nameToUnicodeUTF8(uts46, domain, (int32_t)length, result, capacity, &info, &code);
        if (code == U_BUFFER_OVERFLOW_ERROR) {
            free(result);
            capacity = needed;
            continue;
        }
        if (U_FAILURE(code) || (to_ascii && (info.errors & ~ignored) != 0)) {
            free(result);
            return NULL;
        }
        *result_length = (size_t)needed;
        return result;
    }
    return NULL;
}
