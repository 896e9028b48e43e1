/* MPEG audio (MP3, AAC in ADTS) has no file header, only frames: two that fit together are the
 * proof. An ID3 tag may stand in front. Pure, any thread. */
#include "base/prelude.h"

#include "media/detect.h"

/* Bytes of the ID3v2 tag at the start, 0 when there is none. */
static size_t id3_size(const uint8_t *head, size_t size)
{
    if (size < 10 || memcmp(head, "ID3", 3) != 0) {
        return 0;
    }
    for (size_t i = 6; i < 10; i++) {
        if (head[i] >= 0x80) {
            return 0;
        }
    }
    return 10 + ((size_t) head[6] << 21 | (size_t) head[7] << 14 | (size_t) head[8] << 7 | head[9]);
}

/* Length of the MPEG audio frame (layers II and III) at p, 0 when there is none. */
static size_t mp3_frame(const uint8_t *p)
{
    static const uint16_t KBITS_V1_L3[] = { 0,   32,  40,  48,  56,  64,  80, 96,
                                            112, 128, 160, 192, 224, 256, 320 };
    static const uint16_t KBITS_V1_L2[] = { 0,   32,  48,  56,  64,  80,  96, 112,
                                            128, 160, 192, 224, 256, 320, 384 };
    static const uint16_t KBITS_V2[] = { 0,  8,  16, 24,  32,  40,  48, 56,
                                         64, 80, 96, 112, 128, 144, 160 };
    static const uint32_t RATES[] = { 44100, 48000, 32000 };
    unsigned version = p[1] >> 3 & 3; /* 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5 */
    unsigned layer = p[1] >> 1 & 3;   /* 1: III, 2: II */
    unsigned bits = p[2] >> 4;
    unsigned rate = p[2] >> 2 & 3;
    if (p[0] != 0xff || (p[1] & 0xe0) != 0xe0 || version == 1 || (layer != 1 && layer != 2) ||
        bits == 0 || bits == 15 || rate == 3) {
        return 0;
    }
    const uint16_t *kbits = version != 3 ? KBITS_V2 : layer == 1 ? KBITS_V1_L3 : KBITS_V1_L2;
    uint32_t hertz = RATES[rate] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    uint32_t factor = version != 3 && layer == 1 ? 72000 : 144000;
    return (size_t) (factor * kbits[bits] / hertz) + (p[2] >> 1 & 1);
}

/* Length of the ADTS frame at p, 0 when there is none. */
static size_t adts_frame(const uint8_t *p)
{
    if (p[0] != 0xff || (p[1] & 0xf6) != 0xf0 || (p[2] >> 2 & 15) > 12) {
        return 0;
    }
    size_t length = (size_t) (p[3] & 3) << 11 | (size_t) p[4] << 3 | p[5] >> 5;
    return length > 7 ? length : 0;
}

media_format detect_mpeg_audio(const uint8_t *head, size_t size)
{
    static const struct {
        size_t (*frame)(const uint8_t *);
        media_format format;
    } KINDS[] = { { mp3_frame, MEDIA_FORMAT_MP3 }, { adts_frame, MEDIA_FORMAT_AAC } };
    size_t start = id3_size(head, size);
    if (start > 0 && start + 8 > size) {
        return MEDIA_FORMAT_MP3; /* a tag with a large cover; nearly always in front of MP3 */
    }
    if (start > 0 && memcmp(head + start, "fLaC", 4) == 0) {
        return MEDIA_FORMAT_FLAC;
    }
    if (start > 0 && (memcmp(head + start, "MP", 2) == 0 || memcmp(head + start, "MAC", 3) == 0)) {
        return MEDIA_FORMAT_NONE; /* Musepack, Monkey's Audio */
    }
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        size_t first = start + 8 <= size ? KINDS[i].frame(head + start) : 0;
        size_t next = start + first;
        bool second = next + 8 <= size && KINDS[i].frame(head + next) > 0;
        if (first > 0 && (second || start > 0)) {
            return KINDS[i].format;
        }
    }
    return start > 0 ? MEDIA_FORMAT_MP3 : MEDIA_FORMAT_NONE;
}
