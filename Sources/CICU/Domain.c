#include "CICU.h"
#include <pthread.h>
#include <stdlib.h>
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

char *sl_domain(const char *domain, size_t length, bool to_ascii, size_t *result_length) {
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
