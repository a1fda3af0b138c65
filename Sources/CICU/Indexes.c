#include "Indexes.h"
#include "CICU.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucnv.h>

// ICU's tables are those of the vendors; the standard's are what browsers agreed on. All differences stand here, found by comparing every
// sequence with an implementation of the standard (Tests/Platform/cases/encoding_legacy.js has the sums).

typedef struct {
    uint16_t code, point;
} correction;

// Bytes that became characters of their own in GB 18030-2022, and the ideographic space that the web writes as A3A0.
static const correction gb18030_corrections[] = {
    {0xA3A0, 0x3000}, {0xA6D9, 0xFE10}, {0xA6DA, 0xFE12}, {0xA6DB, 0xFE11}, {0xA6DC, 0xFE13}, {0xA6DD, 0xFE14}, {0xA6DE, 0xFE15},
    {0xA6DF, 0xFE16}, {0xA6EC, 0xFE17}, {0xA6ED, 0xFE18}, {0xA6F3, 0xFE19}, {0xFE59, 0x9FB4}, {0xFE61, 0x9FB5}, {0xFE66, 0x9FB6},
    {0xFE67, 0x9FB7}, {0xFE6D, 0x9FB8}, {0xFE7E, 0x9FB9}, {0xFE90, 0x9FBA}, {0xFEA0, 0x9FBB},
};

// ICU has HKSCS-2004 (private characters where Unicode had none yet) without the duplicates and the control pictures of Big5's older extensions.
static const correction big5_corrections[] = {
    {0x87A4, 0x9F97}, {0x87AC, 0x9F96}, {0x8840, 0x31C0}, {0x8841, 0x31C1}, {0x8842, 0x31C2}, {0x8843, 0x31C3},
    {0x8844, 0x31C4}, {0x8846, 0x31C5}, {0x8849, 0x31C6}, {0x884A, 0x31C7}, {0x884D, 0x31C8}, {0x884F, 0x31C9},
    {0x8850, 0x31CA}, {0x8851, 0x31CB}, {0x8852, 0x31CC}, {0x8854, 0x31CD}, {0x8855, 0x31CE}, {0x88A9, 0x23DA},
    {0x88AA, 0x23DB}, {0x8C43, 0x9FA6}, {0x8C6D, 0x9FA7}, {0x8C74, 0x9FA8}, {0x8CB7, 0x9FA9}, {0x8CB9, 0x9FAA},
    {0x8CBB, 0x9FAB}, {0x8CC0, 0x9FAC}, {0x8CD7, 0x9FAD}, {0x8CD8, 0x9FAE}, {0x8CDA, 0x9FAF}, {0x8CED, 0x9FB2},
    {0x8D48, 0x9FB3}, {0x8E69, 0x7BB8}, {0x8E6F, 0x7C06}, {0x8E7E, 0x7CCE}, {0x8EAB, 0x7DD2}, {0x8EB4, 0x7E1D},
    {0x8ECD, 0x8005}, {0x8ED0, 0x8028}, {0x8F57, 0x83C1}, {0x8F69, 0x84A8}, {0x8F6E, 0x840F}, {0x8FCB, 0x89A6},
    {0x8FCC, 0x89A9}, {0x8FFE, 0x8D77}, {0x906D, 0x90FD}, {0x907A, 0x92B9}, {0x90DC, 0x975C}, {0x90F1, 0x97FF},
    {0x91BF, 0x9F16}, {0x9244, 0x8503}, {0x92AF, 0x5159}, {0x92B0, 0x515B}, {0x92B1, 0x515D}, {0x92B2, 0x515E},
    {0x92C8, 0x936E}, {0x92D1, 0x7479}, {0x9447, 0x6D67}, {0x94CA, 0x799B}, {0x95D9, 0x9097}, {0x9644, 0x975D},
    {0x96ED, 0x701E}, {0x96FC, 0x5B28}, {0x9B76, 0x7201}, {0x9B78, 0x77D7}, {0x9B7B, 0x7E87}, {0x9BC6, 0x99D6},
    {0x9BDE, 0x91D4}, {0x9BEC, 0x60DE}, {0x9BF6, 0x6FB6}, {0x9C42, 0x8F36}, {0x9C53, 0x4FBB}, {0x9C62, 0x71DF},
    {0x9C68, 0x9104}, {0x9C6B, 0x9DF0}, {0x9C77, 0x83CF}, {0x9CBC, 0x5C10}, {0x9CBD, 0x79E3}, {0x9CD0, 0x5A67},
    {0x9D57, 0x8F0B}, {0x9D5A, 0x7B51}, {0x9DC4, 0x62D0}, {0x9EA9, 0x6062}, {0x9EEF, 0x75F9}, {0x9EFD, 0x6C4A},
    {0x9F60, 0x9B2E}, {0x9F66, 0x9F17}, {0x9FCB, 0x50ED}, {0x9FD8, 0x5F0C}, {0xA063, 0x880F}, {0xA077, 0x62CE},
    {0xA0D5, 0x7468}, {0xA0DF, 0x7162}, {0xA0E4, 0x7250}, {0xA3C0, 0x2400}, {0xA3C1, 0x2401}, {0xA3C2, 0x2402},
    {0xA3C3, 0x2403}, {0xA3C4, 0x2404}, {0xA3C5, 0x2405}, {0xA3C6, 0x2406}, {0xA3C7, 0x2407}, {0xA3C8, 0x2408},
    {0xA3C9, 0x2409}, {0xA3CA, 0x240A}, {0xA3CB, 0x240B}, {0xA3CC, 0x240C}, {0xA3CD, 0x240D}, {0xA3CE, 0x240E},
    {0xA3CF, 0x240F}, {0xA3D0, 0x2410}, {0xA3D1, 0x2411}, {0xA3D2, 0x2412}, {0xA3D3, 0x2413}, {0xA3D4, 0x2414},
    {0xA3D5, 0x2415}, {0xA3D6, 0x2416}, {0xA3D7, 0x2417}, {0xA3D8, 0x2418}, {0xA3D9, 0x2419}, {0xA3DA, 0x241A},
    {0xA3DB, 0x241B}, {0xA3DC, 0x241C}, {0xA3DD, 0x241D}, {0xA3DE, 0x241E}, {0xA3DF, 0x241F}, {0xA3E0, 0x2421},
    {0xC6CF, 0x5EF4}, {0xC6D3, 0x65E0}, {0xC6D5, 0x7676}, {0xC6D7, 0x96B6}, {0xC6DE, 0x3003}, {0xC6DF, 0x4EDD},
    {0xC879, 0x31CF}, {0xC8A1, 0x9FB0}, {0xC8A3, 0x9FB1}, {0xFA5F, 0x5029}, {0xFA66, 0x507D}, {0xFABD, 0x5305},
    {0xFAC5, 0x5344}, {0xFAD5, 0x537F}, {0xFB48, 0x5605}, {0xFBB8, 0x5A77}, {0xFBF3, 0x5E75}, {0xFBF9, 0x5ED0},
    {0xFC4F, 0x5F58}, {0xFC6C, 0x60A4}, {0xFCB9, 0x6490}, {0xFCE2, 0x6674}, {0xFCF1, 0x675E}, {0xFDB7, 0x6C9C},
    {0xFDB8, 0x6E1D}, {0xFDBB, 0x6E2F}, {0xFDF1, 0x716E}, {0xFE52, 0x732A}, {0xFE6F, 0x745C}, {0xFEAA, 0x74E9},
    {0xFEDD, 0x7809},};

#define COUNT(array) (sizeof(array) / sizeof *(array))

// ---- ICU ----

static UConverter *open_converter(const char *name) {
    UErrorCode code = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(name, &code);
    if (U_FAILURE(code)) return NULL;
    ucnv_setToUCallBack(converter, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &code);
    ucnv_setFallback(converter, true);
    if (U_SUCCESS(code)) return converter;
    ucnv_close(converter);
    return NULL;
}

/// The one code point of a sequence, or 0.
static UChar32 point_of(UConverter *converter, const uint8_t *bytes, size_t length) {
    UChar units[4];
    UChar *end = units;
    const char *next = (const char *)bytes;
    UErrorCode code = U_ZERO_ERROR;
    ucnv_reset(converter);
    ucnv_toUnicode(converter, &end, units + COUNT(units), &next, next + length, NULL, true, &code);
    if (U_FAILURE(code) || end == units) return 0;
    if (end - units == 1) return U16_IS_SURROGATE(units[0]) ? 0 : units[0];
    return end - units == 2 && U16_IS_LEAD(units[0]) && U16_IS_TRAIL(units[1]) ? U16_GET_SUPPLEMENTARY(units[0], units[1]) : 0;
}

static bool is_private(UChar32 point) { return (point >= 0xE000 && point <= 0xF8FF) || point >= 0xF0000; }

// ---- Multi-byte tables ----

static bool make_index(sl_index *index, size_t count, bool with_plane2) {
    index->points = calloc(count, sizeof *index->points);
    index->plane2 = with_plane2 ? calloc(count, sizeof *index->plane2) : NULL;
    return index->points != NULL && (index->plane2 != NULL || !with_plane2);
}

/// A table of two-byte sequences. `lead_of` and `trail_of` give the bytes of row and column; `prefix`: a byte before them, or 0.
static bool fill(sl_index *index, const char *name, size_t rows, size_t columns, uint8_t (*lead_of)(size_t), uint8_t (*trail_of)(size_t), uint8_t prefix,
                 bool keep_private) {
    UConverter *converter = open_converter(name);
    if (converter == NULL) return false;
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column < columns; column++) {
            const uint8_t bytes[] = {prefix, lead_of(row), trail_of(column)};
            const size_t skip = prefix == 0 ? 1 : 0;
            UChar32 point = point_of(converter, bytes + skip, sizeof bytes - skip);
            if (!keep_private && is_private(point)) continue;
            const size_t pointer = row * columns + column;
            if (point <= 0xFFFF) index->points[pointer] = (uint16_t)point;
            else if (index->plane2 != NULL) index->plane2[pointer] = (uint16_t)point;
        }
    }
    ucnv_close(converter);
    return true;
}

static uint8_t lead_81(size_t row) { return (uint8_t)(0x81 + row); }
static uint8_t lead_a1(size_t row) { return (uint8_t)(0xA1 + row); }
static uint8_t lead_shift_jis(size_t row) { return (uint8_t)(row < 31 ? 0x81 + row : 0xC1 + row); }
static uint8_t trail_big5(size_t column) { return (uint8_t)(column < 63 ? 0x40 + column : 0x62 + column); }
static uint8_t trail_41(size_t column) { return (uint8_t)(0x41 + column); }
static uint8_t trail_gb18030(size_t column) { return (uint8_t)(column < 63 ? 0x40 + column : 0x41 + column); }
static uint8_t trail_shift_jis(size_t column) { return (uint8_t)(column < 63 ? 0x40 + column : 0x41 + column); }

static sl_index big5, euc_kr, gb18030, gb18030_four, jis0208, jis0212;
static bool has_big5, has_euc_kr, has_gb18030, has_gb18030_four, has_jis0208, has_jis0212;

static void make_big5(void) {
    has_big5 = make_index(&big5, sl_big5_count, true) && fill(&big5, "ibm-1375_P100-2008", 126, 157, lead_81, trail_big5, 0, false);
    if (!has_big5) return;
    for (size_t i = 0; i < COUNT(big5_corrections); i++) {
        const unsigned lead = big5_corrections[i].code >> 8, trail = big5_corrections[i].code & 0xFF;
        const size_t pointer = (lead - 0x81) * 157 + trail - (trail < 0x7F ? 0x40 : 0x62);
        big5.points[pointer] = big5_corrections[i].point;
        big5.plane2[pointer] = 0;
    }
}

static void make_euc_kr(void) {
    has_euc_kr = make_index(&euc_kr, sl_euc_kr_count, false) && fill(&euc_kr, "windows-949-2000", 126, 190, lead_81, trail_41, 0, false);
}

static void make_gb18030(void) {
    has_gb18030 = make_index(&gb18030, sl_gb18030_count, false) && fill(&gb18030, "gb18030", 126, 190, lead_81, trail_gb18030, 0, true);
    if (!has_gb18030) return;
    for (size_t i = 0; i < COUNT(gb18030_corrections); i++) {
        const unsigned lead = gb18030_corrections[i].code >> 8, trail = gb18030_corrections[i].code & 0xFF;
        gb18030.points[(lead - 0x81) * 190 + trail - (trail < 0x7F ? 0x40 : 0x41)] = gb18030_corrections[i].point;
    }
}

/// https://encoding.spec.whatwg.org/#index-gb18030-ranges-code-point
static void make_gb18030_four(void) {
    UConverter *converter = open_converter("gb18030");
    has_gb18030_four = converter != NULL && make_index(&gb18030_four, sl_gb18030_four_count, false);
    for (size_t pointer = 0; has_gb18030_four && pointer < sl_gb18030_four_count; pointer++) {
        const uint8_t bytes[] = {(uint8_t)(pointer / 12600 + 0x81), (uint8_t)(pointer / 1260 % 10 + 0x30), (uint8_t)(pointer / 10 % 126 + 0x81),
                                 (uint8_t)(pointer % 10 + 0x30)};
        gb18030_four.points[pointer] = (uint16_t)point_of(converter, bytes, sizeof bytes);
    }
    if (has_gb18030_four) gb18030_four.points[7457] = 0xE7C7;
    if (converter != NULL) ucnv_close(converter);
}

static void make_jis0208(void) {
    // IBM's code page 943, which is Windows' 932. With its private characters: Shift_JIS has them (but nobody else gets there).
    has_jis0208 = make_index(&jis0208, sl_jis0208_count, false) && fill(&jis0208, "ibm-943_P15A-2003", 60, 188, lead_shift_jis, trail_shift_jis, 0, true);
}

static void make_jis0212(void) {
    has_jis0212 = make_index(&jis0212, sl_jis0212_count, false) && fill(&jis0212, "euc-jp-2007", 94, 94, lead_a1, lead_a1, 0x8F, false);
    // IBM's additions from row 0xF3 on are not JIS X 0212.
    if (has_jis0212) memset(jis0212.points + (0xF3 - 0xA1) * 94, 0, (0xFE - 0xF3 + 1) * 94 * sizeof *jis0212.points);
}

#define INDEX(name)                                        \
    const sl_index *sl_##name(void) {                      \
        static pthread_once_t once = PTHREAD_ONCE_INIT;    \
        pthread_once(&once, make_##name);                  \
        return has_##name ? &name : NULL;                  \
    }
INDEX(big5)
INDEX(euc_kr)
INDEX(gb18030)
INDEX(gb18030_four)
INDEX(jis0208)
INDEX(jis0212)

// ---- Single-byte tables ----

static const char *const single_byte_names[] = {
    [SL_IBM866] = "ibm-866_P100-1995", [SL_ISO_8859_2] = "ISO-8859-2", [SL_ISO_8859_3] = "ISO-8859-3", [SL_ISO_8859_4] = "ISO-8859-4",
    [SL_ISO_8859_5] = "ISO-8859-5", [SL_ISO_8859_6] = "ISO-8859-6", [SL_ISO_8859_7] = "ISO-8859-7", [SL_ISO_8859_8] = "ISO-8859-8",
    [SL_ISO_8859_8_I] = "ISO-8859-8", [SL_ISO_8859_10] = "ISO-8859-10", [SL_ISO_8859_13] = "ISO-8859-13", [SL_ISO_8859_14] = "ISO-8859-14",
    [SL_ISO_8859_15] = "ISO-8859-15", [SL_ISO_8859_16] = "ISO-8859-1", [SL_KOI8_R] = "KOI8-R", [SL_KOI8_U] = "KOI8-U", [SL_MACINTOSH] = "macintosh",
    [SL_WINDOWS_874] = "windows-874-2000", [SL_WINDOWS_1250] = "windows-1250", [SL_WINDOWS_1251] = "windows-1251", [SL_WINDOWS_1252] = "windows-1252",
    [SL_WINDOWS_1253] = "windows-1253", [SL_WINDOWS_1254] = "windows-1254", [SL_WINDOWS_1255] = "windows-1255", [SL_WINDOWS_1256] = "windows-1256",
    [SL_WINDOWS_1257] = "windows-1257", [SL_WINDOWS_1258] = "windows-1258", [SL_X_MAC_CYRILLIC] = "x-mac-cyrillic",
};

typedef struct {
    uint8_t encoding, byte;
    uint16_t point;
} single_byte_correction;

static const single_byte_correction single_byte_corrections[] = {
    {SL_KOI8_U, 0xAE, 0x45E}, {SL_KOI8_U, 0xBE, 0x40E}, {SL_WINDOWS_1253, 0xAA, 0xFFFF}, {SL_WINDOWS_1255, 0xCA, 0x5BA},
    // ICU has no ISO-8859-16: what it has other than ISO-8859-1.
    {SL_ISO_8859_16, 0xA1, 0x104}, {SL_ISO_8859_16, 0xA2, 0x105}, {SL_ISO_8859_16, 0xA3, 0x141}, {SL_ISO_8859_16, 0xA4, 0x20AC},
    {SL_ISO_8859_16, 0xA5, 0x201E}, {SL_ISO_8859_16, 0xA6, 0x160}, {SL_ISO_8859_16, 0xA8, 0x161}, {SL_ISO_8859_16, 0xAA, 0x218},
    {SL_ISO_8859_16, 0xAC, 0x179}, {SL_ISO_8859_16, 0xAE, 0x17A}, {SL_ISO_8859_16, 0xAF, 0x17B}, {SL_ISO_8859_16, 0xB2, 0x10C},
    {SL_ISO_8859_16, 0xB3, 0x142}, {SL_ISO_8859_16, 0xB4, 0x17D}, {SL_ISO_8859_16, 0xB5, 0x201D}, {SL_ISO_8859_16, 0xB8, 0x17E},
    {SL_ISO_8859_16, 0xB9, 0x10D}, {SL_ISO_8859_16, 0xBA, 0x219}, {SL_ISO_8859_16, 0xBC, 0x152}, {SL_ISO_8859_16, 0xBD, 0x153},
    {SL_ISO_8859_16, 0xBE, 0x178}, {SL_ISO_8859_16, 0xBF, 0x17C}, {SL_ISO_8859_16, 0xC3, 0x102}, {SL_ISO_8859_16, 0xC5, 0x106},
    {SL_ISO_8859_16, 0xD0, 0x110}, {SL_ISO_8859_16, 0xD1, 0x143}, {SL_ISO_8859_16, 0xD5, 0x150}, {SL_ISO_8859_16, 0xD7, 0x15A},
    {SL_ISO_8859_16, 0xD8, 0x170}, {SL_ISO_8859_16, 0xDD, 0x118}, {SL_ISO_8859_16, 0xDE, 0x21A}, {SL_ISO_8859_16, 0xE3, 0x103},
    {SL_ISO_8859_16, 0xE5, 0x107}, {SL_ISO_8859_16, 0xF0, 0x111}, {SL_ISO_8859_16, 0xF1, 0x144}, {SL_ISO_8859_16, 0xF5, 0x151},
    {SL_ISO_8859_16, 0xF7, 0x15B}, {SL_ISO_8859_16, 0xF8, 0x171}, {SL_ISO_8859_16, 0xFD, 0x119}, {SL_ISO_8859_16, 0xFE, 0x21B},
};

static uint16_t single_byte_tables[SL_X_MAC_CYRILLIC + 1][128];
static bool has_single_byte[SL_X_MAC_CYRILLIC + 1];
static pthread_mutex_t single_byte_lock = PTHREAD_MUTEX_INITIALIZER;

static bool make_single_byte(int encoding) {
    UConverter *converter = open_converter(single_byte_names[encoding]);
    if (converter == NULL) return false;
    uint16_t *table = single_byte_tables[encoding];
    for (unsigned i = 0; i < 128; i++) {
        const uint8_t byte = (uint8_t)(0x80 + i);
        const UChar32 point = point_of(converter, &byte, 1);
        // The private characters of Windows' Thai are none; the Macintosh has its apple.
        table[i] = point == 0 || (encoding == SL_WINDOWS_874 && is_private(point)) ? 0xFFFF : (uint16_t)point;
    }
    ucnv_close(converter);
    for (size_t i = 0; i < COUNT(single_byte_corrections); i++) {
        const single_byte_correction *c = &single_byte_corrections[i];
        if (c->encoding == encoding) table[c->byte - 0x80] = c->point;
    }
    return true;
}

const uint16_t *sl_single_byte(int encoding) {
    if (encoding < 0 || encoding > SL_X_MAC_CYRILLIC) return NULL;
    pthread_mutex_lock(&single_byte_lock);
    if (!has_single_byte[encoding]) has_single_byte[encoding] = make_single_byte(encoding);
    const uint16_t *table = has_single_byte[encoding] ? single_byte_tables[encoding] : NULL;
    pthread_mutex_unlock(&single_byte_lock);
    return table;
}
