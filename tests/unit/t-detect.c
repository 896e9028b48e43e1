/* File types by content. */
#include "base/prelude.h"

#include "media/detect.h"

#include "tap.h"

#define HEAD(bytes_, mime_)                   \
    {                                         \
        (bytes_), sizeof(bytes_) - 1, (mime_) \
    }

/* A header each, followed by 600 zero bytes. */
static const struct {
    const char *bytes;
    size_t size;
    const char *mime;
} MEDIA[] = {
    HEAD("\xff\xd8\xff\xe0", "image/jpeg"),
    HEAD("\xff\xd8\xff\xdb", "image/jpeg"),
    HEAD("\x89PNG\r\n\x1a\n", "image/png"),
    HEAD("GIF87a", "image/gif"),
    HEAD("GIF89a", "image/gif"),
    HEAD("RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
    HEAD("II*\0\x08\0\0\0\0\0", "image/tiff"),
    HEAD("MM\0*\0\0\0\x08\0\0", "image/tiff"),
    HEAD("II+\0\x08\0\0\0\x10\0\0\0", "image/tiff"),
    HEAD("BM\x76\x04\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x08\0\0\0\x08\0\0\0", "image/bmp"),
    HEAD("\0\0\0\x18"
         "ftypheic\0\0\0\0mif1heic",
         "image/heic"),
    HEAD("\0\0\0\x18"
         "ftypmif1\0\0\0\0mif1heic",
         "image/heic"),
    HEAD("\0\0\0\x18"
         "ftypmif1\0\0\0\0mif1miaf",
         "image/heif"),
    HEAD("\0\0\0\x1c"
         "ftypmif1\0\0\0\0mif1miafavif",
         "image/avif"),
    HEAD("\0\0\0\x18"
         "ftypavif\0\0\0\0mif1miaf",
         "image/avif"),
    HEAD("\0\0\0\x18"
         "ftypcrx \0\0\0\x01"
         "crx isom",
         "image/x-canon-cr3"),
    HEAD("II*\0\x10\0\0\0CR\x02\0", "image/x-canon-cr2"),
    HEAD("II\x1a\0\0\0HEAPCCDR\x02\0", "image/x-canon-crw"),
    HEAD("IIRO\x08\0\0\0", "image/x-olympus-orf"),
    HEAD("MMOR\0\0\0\x08", "image/x-olympus-orf"),
    HEAD("IIU\0\x18\0\0\0", "image/x-panasonic-rw2"),
    HEAD("FUJIFILMCCD-RAW 0201FF", "image/x-fuji-raf"),
    HEAD("\0MRM\0\0\x0a\x0c", "image/x-minolta-mrw"),
    HEAD("FOVb\0\0\x02\0", "image/x-sigma-x3f"),
    HEAD("II*\0\x08\x0a\0\0IIIICwaR", "image/x-phaseone-iiq"),
    HEAD("\0\0\0\x18"
         "ftypisom\0\0\x02\0isomavc1",
         "video/mp4"),
    HEAD("\0\0\0\x18"
         "ftypmp42\0\0\0\0mp42isom",
         "video/mp4"),
    HEAD("\0\0\0\x18"
         "ftypzzzz\0\0\0\0zzzzisom",
         "video/mp4"),
    HEAD("\0\0\0\x18"
         "ftypM4V \0\0\0\0M4V isom",
         "video/mp4"),
    HEAD("\0\0\0\x14"
         "ftypqt  \0\0\0\0qt  ",
         "video/quicktime"),
    HEAD("\0\0\x0f\x17moov\0\0\0\x6cmvhd", "video/quicktime"),
    HEAD("\0\0\0\x08wide\0\0\x10\0mdat", "video/quicktime"),
    HEAD("\0\0\0\x18"
         "ftyp3gp5\0\0\0\0"
         "3gp5isom",
         "video/3gpp"),
    HEAD("\0\0\0\x18"
         "ftypM4A \0\0\0\0M4A mp42",
         "audio/mp4"),
    HEAD("RIFF\x10\0\0\0AVI LIST", "video/x-msvideo"),
    HEAD("RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
    HEAD("RF64\xff\xff\xff\xffWAVEds64", "audio/wav"),
    HEAD("FORM\0\0\x01\x1a"
         "AIFFCOMM",
         "audio/x-aiff"),
    HEAD("FORM\0\0\x01\x1a"
         "AIFCFVER",
         "audio/x-aiff"),
    HEAD("\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "video/x-matroska"),
    HEAD("\x1a\x45\xdf\xa3\x93\x42\x82\x84webm", "video/webm"),
    HEAD("FLV\x01\x05\0\0\0\x09", "video/x-flv"),
    HEAD("\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c", "video/x-ms-wmv"),
    HEAD("\0\0\x01\xba\x44", "video/mpeg"),
    HEAD("\0\0\x01\xb3\x16", "video/mpeg"),
    HEAD("OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead", "audio/opus"),
    HEAD("OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1e\x01vorbis", "audio/ogg"),
    HEAD("OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x2a\x80theora", "video/ogg"),
    HEAD("fLaC\0\0\0\x22", "audio/flac"),
    HEAD("ID3\x04\0\0\0\0\0\0"
         "fLaC\0\0\0\x22",
         "audio/flac"),
    HEAD("ID3\x03\0\0\0\0\x01\x00", "audio/mpeg"),
};

static const struct {
    const char *bytes;
    size_t size;
    const char *name;
} OTHERS[] = {
    HEAD("%PDF-1.3 1 0 obj", "PDF document"),
    HEAD("PK\x03\x04\x14\0", "ZIP archive or office document"),
    HEAD("\x7f"
         "ELF\x02\x01\x01",
         "program"),
    HEAD("8BPS\0\x01", "Photoshop document"),
    HEAD("\xff\x0a\x08\x04", "JPEG XL image, which is not supported"),
    HEAD("\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000 image, which is not supported"),
    HEAD("\0\0\x01\0\x01\0\x20\x20", "Windows icon"),
    HEAD("\0\0\0\x18"
         "ftypzzzz\0\0\0\0zzzzyyyy",
         "unknown data"),
    HEAD("RIFF\x10\0\0\0PAL data", "unknown data"),
    HEAD("XXXX\x10\0\0\0WEBPVP8 ", "unknown data"),
    HEAD("BM this is not a bitmap\x01\x02\x03", "unknown data"),
    HEAD("ID3\x04\0\0\0\0\0\0MP+\x17", "unknown data"),
    HEAD("\x01\x02\x03\x04", "unknown data"),
};

static const struct {
    const char *text, *name;
} TEXTS[] = {
    { "Dear diary,\nnothing happened.\n", "text" },
    { "<?xml version='1.0'?><svg xmlns='x'/>", "SVG drawing" },
    { "<?xpacket begin='x'?><x:xmpmeta/>", "XMP sidecar" },
    { "<?xml version='1.0'?><gpx/>", "GPX track" },
    { "<?xml version='1.0'?><thing/>", "XML file" },
    { "BEGIN:VCARD\r\n", "contact" },
    { "{ \"a\": 1 }", "text" },
};

static media_type detect_padded(const char *bytes, size_t size)
{
    uint8_t head[1024] = { 0 };
    memcpy(head, bytes, size);
    return media_detect(head, size + 600);
}

static void every_kind_of_media_is_known(void)
{
    for (size_t i = 0; i < ARRAY_LEN(MEDIA); i++) {
        media_type type = detect_padded(MEDIA[i].bytes, MEDIA[i].size);
        if (!CHECK_STR(type.mime, MEDIA[i].mime)) {
            printf("# row %zu\n", i);
        }
        CHECK(type.kind != MEDIA_NONE);
    }
}

static void other_files_are_named(void)
{
    for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++) {
        media_type type = detect_padded(OTHERS[i].bytes, OTHERS[i].size);
        if (!CHECK_STR(type.name, OTHERS[i].name)) {
            printf("# row %zu\n", i);
        }
        CHECK_INT(type.kind, MEDIA_NONE);
    }
    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        const uint8_t *bytes = (const uint8_t *) TEXTS[i].text;
        CHECK_STR(media_detect(bytes, strlen(TEXTS[i].text)).name, TEXTS[i].name);
    }
}

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t) value;
    p[1] = (uint8_t) (value >> 8);
}

static void put_entry(uint8_t *p, unsigned tag, unsigned type, unsigned count, unsigned value)
{
    put16(p, tag);
    put16(p + 2, type);
    put16(p + 4, count);
    put16(p + 6, 0);
    put16(p + 8, value);
    put16(p + 10, value >> 16);
}

/* A TIFF whose first directory has a make, NewSubfileType and one sub-directory with the
 * compression and photometric interpretation given; dng adds DNGVersion. */
static media_type detect_camera_tiff(const char *make, bool reduced, unsigned compression,
                                     unsigned photometric, bool dng)
{
    uint8_t head[512] = { 'I', 'I', 42, 0, 8 };
    put16(head + 8, dng ? 4 : 3);
    put_entry(head + 10, 0xfe, 4, 1, reduced ? 1 : 0);
    put_entry(head + 22, 0x10f, 2, (unsigned) strlen(make) + 1, 300);
    put_entry(head + 34, 0x14a, 4, 1, 200);
    put_entry(head + 46, dng ? 0xc612 : 0, 1, 4, 0x401);
    put16(head + 200, 2);
    put_entry(head + 202, 0x103, 3, 1, compression);
    put_entry(head + 214, 0x106, 3, 1, photometric);
    memcpy(head + 300, make, strlen(make));
    return media_detect(head, sizeof head);
}

static void raw_files_in_tiff_are_told_apart(void)
{
    static const struct {
        const char *make;
        unsigned compression;
        const char *mime;
    } ROWS[] = {
        { "NIKON CORPORATION", 34713, "image/x-nikon-nef" },
        { "SONY", 32767, "image/x-sony-arw" },
        { "PENTAX Corporation", 65535, "image/x-pentax-pef" },
        { "SAMSUNG", 32770, "image/x-samsung-srw" },
        { "Hasselblad", 7, "image/x-hasselblad-3fr" },
        { "SEIKO EPSON CORP.", 1, "image/x-epson-erf" },
        { "EASTMAN KODAK COMPANY", 65000, "image/x-kodak-dcr" },
        { "Mamiya-OP Co.,Ltd.", 1, "image/x-mamiya-mef" },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        media_type type = detect_camera_tiff(ROWS[i].make, true, ROWS[i].compression, 32803, false);
        CHECK_STR(type.mime, ROWS[i].mime);
        CHECK_INT(type.reader, MEDIA_READER_RAW);
    }
    CHECK_STR(detect_camera_tiff("Canon", true, 7, 34892, true).mime, "image/x-adobe-dng");
}

static void a_tiff_of_a_camera_is_not_raw(void)
{
    CHECK_STR(detect_camera_tiff("NIKON", false, 1, 2, false).mime, "image/tiff");
    CHECK_STR(detect_camera_tiff("Scanner Inc.", true, 1, 2, false).mime, "image/tiff");
}

static void transport_streams_need_several_packets(void)
{
    static uint8_t head[2000];
    for (size_t i = 0; i < sizeof head; i += 188) {
        head[i] = 0x47;
    }
    CHECK_STR(media_detect(head, sizeof head).mime, "video/mp2t");
    memset(head, 0, sizeof head);
    for (size_t i = 4; i < sizeof head; i += 192) {
        head[i] = 0x47;
    }
    CHECK_STR(media_detect(head, sizeof head).mime, "video/mp2t");
    memset(head, 0, sizeof head);
    head[0] = 0x47;
    CHECK_INT(media_detect(head, sizeof head).kind, MEDIA_NONE);
}

static void mpeg_audio_needs_two_frames(void)
{
    /* MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes. */
    uint8_t head[1000] = { 0xff, 0xfb, 0x90, 0x00 };
    CHECK_INT(media_detect(head, sizeof head).kind, MEDIA_NONE);
    memcpy(head + 417, head, 4);
    CHECK_STR(media_detect(head, sizeof head).mime, "audio/mpeg");
    /* ADTS with frames of 32 bytes. */
    uint8_t adts[100] = { 0xff, 0xf1, 0x50, 0x80, 0x04, 0x1f, 0xfc };
    memcpy(adts + 32, adts, 7);
    CHECK_STR(media_detect(adts, sizeof adts).mime, "audio/aac");
}

static void containers_follow_their_streams(void)
{
    const media_type *mp4 = media_type_of(MEDIA_FORMAT_MP4);
    CHECK_STR(media_type_as(mp4, MEDIA_AUDIO)->mime, "audio/mp4");
    CHECK_STR(media_type_as(mp4, MEDIA_VIDEO)->mime, "video/mp4");
    CHECK_STR(media_type_as(media_type_of(MEDIA_FORMAT_OGG), MEDIA_VIDEO)->mime, "video/ogg");
    CHECK_STR(media_type_as(media_type_of(MEDIA_FORMAT_WMV), MEDIA_AUDIO)->mime, "audio/x-ms-wma");
    CHECK_STR(media_type_as(media_type_of(MEDIA_FORMAT_FLAC), MEDIA_VIDEO)->mime, "audio/flac");
}

/* Exactly-sized heap copies: a sanitizer build sees every read behind the end. */
static void cut_headers_are_read_inside_their_bounds(void)
{
    for (size_t i = 0; i < ARRAY_LEN(MEDIA); i++) {
        for (size_t size = 0; size <= MEDIA[i].size; size++) {
            uint8_t *exact = malloc(size + 1);
            REQUIRE(exact != NULL);
            memcpy(exact + 1, MEDIA[i].bytes, size);
            CHECK(media_detect(exact + 1, size).name != NULL);
            free(exact);
        }
    }
}

static void extensions_are_fit_for_file_names(void)
{
    for (int i = MEDIA_FORMAT_NONE + 1; i < MEDIA_FORMAT_COUNT; i++) {
        const media_type *type = media_type_of((media_format) i);
        CHECK(strlen(type->extension) > 0);
        CHECK(strlen(type->extension) < sizeof((media_facts *) NULL)->extension);
        CHECK(strlen(type->mime) < sizeof((media_facts *) NULL)->mime);
        CHECK((type->reader == MEDIA_READER_AV) == (type->demuxer != NULL));
    }
}

TAP_MAIN(TAP("every kind of media is known by its bytes", every_kind_of_media_is_known),
         TAP("other files are refused by name", other_files_are_named),
         TAP("raw files in TIFF are told apart", raw_files_in_tiff_are_told_apart),
         TAP("a TIFF of a camera is not raw", a_tiff_of_a_camera_is_not_raw),
         TAP("transport streams need several packets", transport_streams_need_several_packets),
         TAP("MPEG audio needs two frames", mpeg_audio_needs_two_frames),
         TAP("containers follow their streams", containers_follow_their_streams),
         TAP("cut headers are read inside their bounds", cut_headers_are_read_inside_their_bounds),
         TAP("extensions are fit for file names", extensions_are_fit_for_file_names))
