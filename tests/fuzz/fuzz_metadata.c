/* The parsers of metadata's texts on arbitrary bytes. The first byte chooses the parser. What is
 * accepted must hold what the header promises: ranges, termination, valid UTF-8. */
#include "base/prelude.h"

#include "media/av_tags.h"
#include "media/metadata_place.h"
#include "media/metadata_time.h"

#include "fuzz.h"

#define YEAR_1800_US (INT64_C(-5364662400) * 1000000)
#define YEAR_2200_US (INT64_C(7258118400) * 1000000)

static bool clean(slice text, char kind)
{
    char out[40];
    bool found = kind == 'b'   ? metadata_clean(text, out, sizeof out)
                 : kind == 'l' ? metadata_clean_wide(text, false, out, sizeof out)
                 : kind == 'g' ? metadata_clean_wide(text, true, out, sizeof out)
                               : metadata_clean_comment(text, text.len % 2 == 0, out, sizeof out);
    const char *end = memchr(out, '\0', sizeof out);
    slice result = { out, end != NULL ? (size_t) (end - out) : 0 };
    return end != NULL && slice_is_utf8(result) && found == (result.len > 0);
}

static bool time_holds(slice text)
{
    metadata_time time;
    int32_t number = 0;
    bool held = true;
    if (metadata_parse_time(text, &time)) {
        held = time.local_us >= YEAR_1800_US && time.local_us < YEAR_2200_US &&
               abs(time.offset_minutes) <= 840 && (time.has_offset || time.offset_minutes == 0);
    }
    held = held && (!metadata_parse_offset(text, &number) || abs(number) <= 840);
    return held && (!metadata_parse_subsecond(text, &number) || (number >= 0 && number < 1000000));
}

static bool place_holds(slice text)
{
    double value = 0;
    bool held = !metadata_parse_coordinate(text, METADATA_LATITUDE, &value) || fabs(value) <= 90;
    held = held &&
           (!metadata_parse_coordinate(text, METADATA_LONGITUDE, &value) || fabs(value) <= 180);
    return held && (!metadata_parse_number(text, &value) || isfinite(value));
}

/* av_tag_read takes C strings. */
static bool tag_holds(slice text)
{
    static const char *const NAMES[] = { "creation_time", "location", "make", "description" };
    char copy[512];
    (void) snprintf(copy, sizeof copy, "%" SLICE_FMT, SLICE_ARG(text));
    media_facts facts;
    pgc_error err;
    media_facts_init(&facts);
    facts.kind = MEDIA_VIDEO;
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        av_tag_read(&facts, NAMES[i], copy);
    }
    return media_facts_check(&facts, &err) == PGC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    slice text = { (const char *) data + 1, size - 1 };
    bool held = true;
    switch (data[0]) {
    case 't':
        held = time_holds(text);
        break;
    case 'p':
        held = place_holds(text);
        break;
    case 'v':
        held = tag_holds(text);
        break;
    default:
        held = clean(text, (char) data[0]);
        break;
    }
    if (!held) {
        __builtin_trap();
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    static const slice SEEDS[] = {
        { "t2019:08:01 17:34:22.123+02:00", 30 },
        { "t2019-08-01T17:34:22Z", 21 },
        { "t1999-12-31", 11 },
        { "t+02:00", 7 },
        { "t123456", 7 },
        { "p48 deg 51' 27.72\" N", 20 },
        { "p48,51.462N", 11 },
        { "p-122.3/10", 10 },
        { "pf/2.8", 6 },
        { "v2019-08-01T17:34:22+0200", 25 },
        { "v+48.8577+002.2950+035.2/", 25 },
        { "bZ\xfcrich", 7 },
        { "bZ\xc3\xbcrich \xf0\x9f\x93\xb7", 13 },
        { "l\x3d\xd8\xf7\xdc\x41\0", 7 },
        { "g\xfe\xff\0H\0i", 7 },
        { "cUNICODE\0H\0i\0", 13 },
        { "cASCII\0\0\0text", 13 },
    };
    if (index >= ARRAY_LEN(SEEDS) || SEEDS[index].len > size) {
        return 0;
    }
    memcpy(data, SEEDS[index].ptr, SEEDS[index].len);
    return SEEDS[index].len;
}
