/* Our own readers of media bytes: type detection, previews of raw files, tags of containers, and
 * the host's check of an answer. The first byte chooses. */
#include "base/prelude.h"

#include "media/answer.h"
#include "media/av_tags.h"
#include "media/detect.h"
#include "media/png_check.h"
#include "media/preview.h"

#include "fuzz.h"

static int fuzz_detect(const uint8_t *data, size_t size)
{
    media_type type = media_detect(data, size);
    bool whole = type.name != NULL && (type.kind == MEDIA_NONE) == (type.mime == NULL);
    preview found;
    if (preview_find(data, size, &found)) {
        whole = whole && found.offset < size && found.width > 0 && found.height > 0;
    }
    whole = whole && (png_check(data, size, NULL) != PGC_OK || type.format == MEDIA_FORMAT_PNG);
    return whole ? 0 : 1;
}

/* Tags may only store what the check lets pass. */
static int fuzz_tag(const uint8_t *data, size_t size)
{
    static const char *const NAMES[] = { "creation_time", "com.apple.quicktime.creationdate",
                                         "location",      "make",
                                         "model",         "comment" };
    char value[512];
    size_t len = size < sizeof value ? size : sizeof value - 1;
    memcpy(value, data, len);
    value[len] = '\0';
    media_facts facts;
    media_facts_init(&facts);
    facts.kind = MEDIA_VIDEO;
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        av_tag_read(&facts, NAMES[i], value);
    }
    return media_facts_check(&facts, NULL) == PGC_OK ? 0 : 1;
}

/* Bytes laid over a good answer, at the end where the texts are and at the start. */
static int fuzz_answer(const uint8_t *data, size_t size)
{
    static const media_limits LIMITS = { .output_bytes = 1000 };
    wire_answer answer = { .outcome = WIRE_REPLIED };
    answer.reply = (wire_reply) { .kind = WIRE_REPLY, .size = sizeof answer.reply };
    media_facts_init(&answer.reply.report.facts);
    answer.reply.report.facts.kind = MEDIA_PHOTO;
    size_t len = size < sizeof answer.reply.report ? size : sizeof answer.reply.report;
    memcpy(&answer.reply.report, data, len);
    media_report report;
    pgc_error err;
    pgc_status status = media_answer_check(&answer, &LIMITS, &report, &err);
    return status != PGC_OK || media_facts_check(&report.facts, NULL) == PGC_OK ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    switch (data[0] & 3) {
    case 0:
        return fuzz_tag(data + 1, size - 1);
    case 1:
        return fuzz_answer(data + 1, size - 1);
    default:
        return fuzz_detect(data + 1, size - 1);
    }
}

#define SEED(bytes_)                 \
    {                                \
        (bytes_), sizeof(bytes_) - 1 \
    }

static const struct {
    const char *bytes;
    size_t size;
} SEEDS[] = {
    SEED("\0"
         "2019-08-01T17:34:22.123+0200"),
    SEED("\0"
         "+48.8577-002.2950+035.123/"),
    SEED("\0"
         "Fa\xc3\xa7"
         "ade \xe2\x82\xac"),
    SEED("\x02II*"
         "\0\x08\0\0\0\x03\0\xfe\0\x04\0\x01\0\0\0\x01\0\0\0\x0f\x01\x02\0\x06\0\0\0\x40\0\0\0"
         "\x4a\x01\x04\0\x01\0\0\0\x0a\0\0\0NIKON"),
    SEED("\x02MM\0*\0\0\0\x08\0\x01\x01\x4a\0\x04\0\0\0\x02\0\0\0\x08"),
    SEED("\x02\0\0\0\x1c"
         "ftypmif1\0\0\0\0mif1miafavif"),
    SEED("\x02\x1a\x45\xdf\xa3\x93\x42\x82\x88"
         "matroska"),
    SEED("\x02OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead"),
    SEED("\x02ID3\x03\0\0\0\0\0\x0a"
         "0123456789\xff\xfb\x90\0"),
    SEED("\x02\xff\xf1\x50\x80\x01\x1f\xfc\0\xff\xf1\x50\x80\x01\x1f\xfc\0"),
    SEED("\x02xx\xff\xd8\xff\xe1\0\x04\x01\x02\xff\xc0\0\x11\x08\0\x64\0\x64\x03\0\0"),
    SEED("\x02\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0\x3a\x7e\x9b\x55"
         "\0\0\0\0IEND\xae\x42\x60\x82"),
    SEED("\x02<?xml version='1.0'?><svg/>"),
};

size_t fuzz_seed(size_t index, uint8_t *data, size_t size)
{
    if (index < ARRAY_LEN(SEEDS)) {
        memcpy(data, SEEDS[index].bytes, SEEDS[index].size);
        return SEEDS[index].size;
    }
    if (index > ARRAY_LEN(SEEDS) || size < 1 + sizeof(media_report)) {
        return 0;
    }
    media_report report = { .facts = { .kind = MEDIA_NONE } };
    media_facts_init(&report.facts);
    report.facts.kind = MEDIA_PHOTO;
    data[0] = 1;
    memcpy(data + 1, &report, sizeof report);
    return 1 + sizeof report;
}
