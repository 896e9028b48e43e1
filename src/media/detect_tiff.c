/* Camera raw formats built on TIFF differ in a few bytes of the header, the maker's name and what
 * the first directories hold. Pure, any thread; reads inside [head, head + size) only. */
#include "base/prelude.h"

#include "media/detect.h"

#define ENTRIES_MAX            256
#define TAG_SUBFILE            0x00fe /* 1: a reduced image, so the real one is elsewhere */
#define TAG_COMPRESSION        0x0103
#define TAG_PHOTOMETRIC        0x0106
#define TAG_MAKE               0x010f
#define TAG_SUB_IFDS           0x014a
#define TAG_DNG_VERSION        0xc612
#define PHOTOMETRIC_CFA        32803
#define PHOTOMETRIC_LINEAR_RAW 34892
#define TYPE_SHORT             3

typedef struct tiff {
    const uint8_t *head;
    size_t size;
    bool big_endian;
} tiff;

/* What the first directory and its sub-directories say. */
typedef struct tiff_facts {
    bool dng, raw_pixels, reduced, sub_ifds;
    char make[24];
} tiff_facts;

static uint32_t get16(const tiff *t, size_t at)
{
    assert(at + 2 <= t->size);
    const uint8_t *p = t->head + at;
    return t->big_endian ? (uint32_t) p[0] << 8 | p[1] : (uint32_t) p[1] << 8 | p[0];
}

static uint32_t get32(const tiff *t, size_t at)
{
    return t->big_endian ? get16(t, at) << 16 | get16(t, at + 2)
                         : get16(t, at + 2) << 16 | get16(t, at);
}

/* Compressions that only raw files use: Nikon, Sony, Samsung, Pentax, Kodak. */
static bool raw_compression(uint32_t value)
{
    static const uint16_t VALUES[] = { 32767, 32769, 32770, 32772, 34713, 65000, 65535 };
    for (size_t i = 0; i < ARRAY_LEN(VALUES); i++) {
        if (VALUES[i] == value) {
            return true;
        }
    }
    return false;
}

/* The maker in capitals, cut at our room; texts up to four bytes lie in the entry itself. */
static void read_make(const tiff *t, size_t entry, tiff_facts *facts)
{
    size_t count = get32(t, entry + 4);
    size_t at = count > 4 ? get32(t, entry + 8) : entry + 8;
    if (at >= t->size) {
        return;
    }
    size_t room = sizeof facts->make - 1;
    size_t length = count < room ? count : room;
    length = length < t->size - at ? length : t->size - at;
    for (size_t i = 0; i < length; i++) {
        facts->make[i] = (char) toupper(t->head[at + i]);
    }
}

/* One directory; follows sub-directories one level deep. */
static void read_directory(const tiff *t, size_t at, bool top, tiff_facts *facts)
{
    if (at < 8 || at + 2 > t->size) {
        return;
    }
    size_t count = get16(t, at);
    count = count < ENTRIES_MAX ? count : ENTRIES_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t entry = at + 2 + i * 12;
        if (entry + 12 > t->size) {
            return;
        }
        uint32_t tag = get16(t, entry);
        uint32_t value =
            get16(t, entry + 2) == TYPE_SHORT ? get16(t, entry + 8) : get32(t, entry + 8);
        if (tag == TAG_DNG_VERSION) {
            facts->dng = true;
        } else if (tag == TAG_COMPRESSION && raw_compression(value)) {
            facts->raw_pixels = true;
        } else if (tag == TAG_PHOTOMETRIC &&
                   (value == PHOTOMETRIC_CFA || value == PHOTOMETRIC_LINEAR_RAW)) {
            facts->raw_pixels = true;
        } else if (tag == TAG_SUBFILE && top) {
            facts->reduced = value == 1;
        } else if (tag == TAG_MAKE && top) {
            read_make(t, entry, facts);
        } else if (tag == TAG_SUB_IFDS && top) {
            facts->sub_ifds = true;
            uint32_t subs = get32(t, entry + 4);
            size_t list = subs > 1 ? get32(t, entry + 8) : entry + 8;
            for (uint32_t k = 0; k < subs && k < 8 && list + 4 * (k + 1) <= t->size; k++) {
                read_directory(t, get32(t, list + 4 * k), false, facts);
            }
        }
    }
}

/* Raw formats whose header alone tells. */
static media_format from_header(const tiff *t)
{
    static const struct {
        const char *bytes;
        size_t offset, length;
        media_format format;
    } HEADERS[] = {
        { "CR\x02", 8, 3, MEDIA_FORMAT_CR2 }, { "IIRO", 0, 4, MEDIA_FORMAT_ORF },
        { "IIRS", 0, 4, MEDIA_FORMAT_ORF },   { "MMOR", 0, 4, MEDIA_FORMAT_ORF },
        { "IIU\0", 0, 4, MEDIA_FORMAT_RW2 },  { "IIII", 8, 4, MEDIA_FORMAT_IIQ },
        { "MMMM", 8, 4, MEDIA_FORMAT_IIQ },
    };
    for (size_t i = 0; i < ARRAY_LEN(HEADERS); i++) {
        if (t->size >= HEADERS[i].offset + HEADERS[i].length &&
            memcmp(t->head + HEADERS[i].offset, HEADERS[i].bytes, HEADERS[i].length) == 0) {
            return HEADERS[i].format;
        }
    }
    return MEDIA_FORMAT_NONE;
}

/* The maker's raw format, for files that are known to be raw. */
static media_format from_make(const tiff_facts *facts)
{
    static const struct {
        const char *make;
        media_format format;
    } MAKERS[] = {
        { "NIKON", MEDIA_FORMAT_NEF },       { "SONY", MEDIA_FORMAT_ARW },
        { "PENTAX", MEDIA_FORMAT_PEF },      { "RICOH", MEDIA_FORMAT_PEF },
        { "ASAHI", MEDIA_FORMAT_PEF },       { "SAMSUNG", MEDIA_FORMAT_SRW },
        { "HASSELBLAD", MEDIA_FORMAT_FFF },  { "EPSON", MEDIA_FORMAT_ERF },
        { "SEIKO EPSON", MEDIA_FORMAT_ERF }, { "EASTMAN KODAK", MEDIA_FORMAT_DCR },
        { "KODAK", MEDIA_FORMAT_DCR },       { "MAMIYA", MEDIA_FORMAT_MEF },
        { "PHASE ONE", MEDIA_FORMAT_IIQ },
    };
    for (size_t i = 0; i < ARRAY_LEN(MAKERS); i++) {
        if (strncmp(facts->make, MAKERS[i].make, strlen(MAKERS[i].make)) == 0) {
            return MAKERS[i].format;
        }
    }
    return MEDIA_FORMAT_NONE;
}

media_format detect_tiff(const uint8_t *head, size_t size)
{
    tiff t = { head, size, size > 0 && head[0] == 'M' };
    if (size < 8 || (memcmp(head, "II", 2) != 0 && memcmp(head, "MM", 2) != 0)) {
        return MEDIA_FORMAT_NONE;
    }
    media_format format = from_header(&t);
    tiff_facts facts = { .dng = false };
    if (format == MEDIA_FORMAT_RW2) {
        read_directory(&t, get32(&t, 4), true, &facts);
        return strncmp(facts.make, "LEICA", 5) == 0 ? MEDIA_FORMAT_RWL : format;
    }
    bool plain = get16(&t, 2) == 42;
    if (format != MEDIA_FORMAT_NONE && (plain || head[2] == 'R' || head[2] == 'O')) {
        return format;
    }
    if (!plain) {
        return get16(&t, 2) == 43 ? MEDIA_FORMAT_TIFF : MEDIA_FORMAT_NONE; /* 43: BigTIFF */
    }
    read_directory(&t, get32(&t, 4), true, &facts);
    if (facts.dng) {
        return MEDIA_FORMAT_DNG;
    }
    /* Cameras also write plain TIFF: a maker's name alone proves nothing. */
    if (facts.raw_pixels || (facts.reduced && facts.sub_ifds)) {
        format = from_make(&facts);
    }
    return format != MEDIA_FORMAT_NONE ? format : MEDIA_FORMAT_TIFF;
}
