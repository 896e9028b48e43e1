/* Names for what is no photo, video or recording (or none that we can read), so that a report says
 * more than "unknown". Nothing depends on these but the words. Pure, any thread. */
#include "base/prelude.h"

#include "media/detect.h"

#define TEXT_LOOK 4096 /* bytes that decide whether something is text */

#define AT(offset_, bytes_, name_)                       \
    {                                                    \
        (offset_), sizeof(bytes_) - 1, (bytes_), (name_) \
    }

static const struct {
    uint8_t offset, length;
    const char *bytes;
    const char *name;
} OTHERS[] = {
    /* images that we do not read */
    AT(0, "\xff\x0a", "JPEG XL image, which is not supported"),
    AT(4, "JXL \r\n\x87\n", "JPEG XL image, which is not supported"),
    AT(4, "jP  \r\n\x87\n", "JPEG 2000 image, which is not supported"),
    AT(0, "\xff\x4f\xff\x51", "JPEG 2000 image, which is not supported"),
    AT(0, "8BPS", "Photoshop document"),
    AT(0, "gimp xcf", "GIMP document"),
    AT(0, "Paint Shop Pro Image", "Paint Shop Pro document"),
    AT(0, "BPG\xfb", "BPG image, which is not supported"),
    AT(0, "FLIF", "FLIF image, which is not supported"),
    AT(0, "\x76\x2f\x31\x01", "OpenEXR image, which is not supported"),
    AT(0, "#?RADIANCE", "Radiance image, which is not supported"),
    AT(0, "#?RGBE", "Radiance image, which is not supported"),
    AT(0, "SDPX", "DPX image, which is not supported"),
    AT(0, "XPDS", "DPX image, which is not supported"),
    AT(0, "SIMPLE  =", "FITS image, which is not supported"),
    AT(128, "DICM", "DICOM image, which is not supported"),
    AT(0, "AT&TFORM", "DjVu document"),
    AT(0, "\0\0\x01\0\0", "font or resource file"),
    AT(0, "\0\0\x01\0", "Windows icon"),
    AT(0, "\0\0\x02\0", "Windows cursor"),
    AT(0, "P1\n", "PBM image, which is not supported"),
    AT(0, "P2\n", "PGM image, which is not supported"),
    AT(0, "P3\n", "PPM image, which is not supported"),
    AT(0, "P4\n", "PBM image, which is not supported"),
    AT(0, "P5\n", "PGM image, which is not supported"),
    AT(0, "P6\n", "PPM image, which is not supported"),
    AT(0, "PF\n", "PFM image, which is not supported"),
    AT(0, "\x0a\x05\x01", "PCX image, which is not supported"),
    AT(0, "id=ImageMagick", "MIFF image, which is not supported"),
    AT(0, "XISF0100", "XISF image, which is not supported"),
    AT(0, "PGF", "PGF image, which is not supported"),
    AT(0, "\xffWPC", "WordPerfect graphic or document"),
    AT(0, "FPF Public Image", "FLIR image, which is not supported"),
    AT(0, "\x89LFP", "Lytro image, which is not supported"),
    AT(0, "~\x10\x04\xfe", "MIE metadata"),
    AT(0, "ZISRAWFILE", "Zeiss image, which is not supported"),
    AT(4, "RED2", "RED video, which is not supported"),
    AT(4, "RED1", "RED video, which is not supported"),
    /* sound and video that we do not read */
    AT(0, ".RMF", "RealMedia video, which is not supported"),
    AT(0, ".ra\xfd", "RealAudio recording, which is not supported"),
    AT(0, "rtsp://", "RealMedia link"),
    AT(0, "MAC ", "Monkey's Audio recording, which is not supported"),
    AT(0, "MP+", "Musepack recording, which is not supported"),
    AT(0, "MPCK", "Musepack recording, which is not supported"),
    AT(0, "wvpk", "WavPack recording, which is not supported"),
    AT(0, "MThd", "MIDI file"),
    AT(0, "FWS", "Flash program"),
    AT(0, "CWS", "Flash program"),
    AT(0, "ZWS", "Flash program"),
    AT(0, "\x06\x0e\x2b\x34", "MXF video, which is not supported"),
    AT(0, "\xb7\xd8\0\x20\x37\x49\xda\x11", "Windows TV recording, which is not supported"),
    AT(0, "\x1f\x07\0", "DV video, which is not supported"),
    AT(0,
       "\x02"
       "dss",
       "DSS recording, which is not supported"),
    AT(0,
       "\x03"
       "ds2",
       "DSS recording, which is not supported"),
    AT(0, "V6\0\0", "MOI video description"),
    /* documents and archives */
    AT(0, "%PDF", "PDF document"),
    AT(0, "%!PS", "PostScript document"),
    AT(0, "\xc5\xd0\xd3\xc6", "PostScript document"),
    AT(0, "{\\rtf", "RTF document"),
    AT(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Microsoft Office document"),
    AT(0, "\x06\x06\xed\xf5\xd8\x1d\x46\xe5", "InDesign document"),
    AT(60, "BOOKMOBI", "Mobipocket book"),
    AT(0, "PK\x03\x04", "ZIP archive or office document"),
    AT(0, "\x1f\x8b", "gzip archive"),
    AT(0, "BZh", "bzip2 archive"),
    AT(0,
       "\xfd"
       "7zXZ",
       "xz archive"),
    AT(0, "7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    AT(0, "Rar!\x1a\x07", "RAR archive"),
    AT(0, "\x28\xb5\x2f\xfd", "Zstandard archive"),
    AT(0, "!<arch>", "library archive"),
    /* programs and data */
    AT(0,
       "\x7f"
       "ELF",
       "program"),
    AT(0, "MZ", "Windows program"),
    AT(0, "\xcf\xfa\xed\xfe", "macOS program"),
    AT(0, "\xce\xfa\xed\xfe", "macOS program"),
    AT(0, "\xfe\xed\xfa\xce", "macOS program"),
    AT(0, "\xfe\xed\xfa\xcf", "macOS program"),
    AT(0, "\xca\xfe\xba\xbe", "macOS or Java program"),
    AT(0, "SQLite format 3", "SQLite database"),
    AT(0, "bplist00", "property list"),
    AT(36, "acsp", "colour profile"),
    AT(0, "\0\x01\0\0\0", "font"),
    AT(0, "true\0", "font"),
    AT(0, "OTTO", "font"),
    AT(0, "ttcf", "font"),
    AT(0, "wOFF", "font"),
    AT(0, "wOF2", "font"),
    AT(0, "\x80\x01", "font"),
    AT(0, "\0\x05\x16\x07", "macOS resource file"),
    AT(0, "\0\x05\x16\0", "macOS resource file"),
    AT(0, "CANON OPTIONAL DATA\0", "Canon recipe"),
    AT(0, "IIII\x04\0", "Canon recipe"),
    AT(0, "\x4c\0\0\0\x01\x14\x02\0", "Windows shortcut"),
    AT(0, "x\x9f\x3e\x22", "Outlook attachment"),
    AT(0, "\x0a\x0d\x0d\x0a", "network capture"),
    AT(4, "itch", "iTunes cover store"),
};

/* First words of texts that have a name. */
static const struct {
    const char *word, *name;
} TEXTS[] = {
    { "<svg", "SVG drawing" },      { "<x:xmpmeta", "XMP sidecar" },
    { "<?xpacket", "XMP sidecar" }, { "<!DOCTYPE html", "HTML page" },
    { "<html", "HTML page" },       { "<!DOCTYPE plist", "property list" },
    { "<gpx", "GPX track" },        { "<kml", "KML track" },
    { "<rdf:RDF", "XMP sidecar" },  { "<?xml", "XML file" },
    { "BEGIN:VCARD", "contact" },   { "BEGIN:VCALENDAR", "calendar" },
};

/* Text is what has no control characters but those that terminals and editors put into files. */
static bool is_text(const uint8_t *head, size_t size)
{
    if (size >= 2 && (memcmp(head, "\xfe\xff", 2) == 0 || memcmp(head, "\xff\xfe", 2) == 0)) {
        return true; /* UTF-16 */
    }
    size_t room = size < TEXT_LOOK ? size : TEXT_LOOK;
    for (size_t i = 0; i < room; i++) {
        if (head[i] < 0x20 && strchr("\t\n\v\f\r\x1a\x1b", head[i]) == NULL) {
            return false;
        }
        if (head[i] == '\0') {
            return false;
        }
    }
    return room > 0;
}

const char *detect_other(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++) {
        size_t end = (size_t) OTHERS[i].offset + OTHERS[i].length;
        if (size >= end &&
            memcmp(head + OTHERS[i].offset, OTHERS[i].bytes, OTHERS[i].length) == 0) {
            return OTHERS[i].name;
        }
    }
    if (!is_text(head, size)) {
        return "unknown data";
    }
    size_t room = size < TEXT_LOOK ? size : TEXT_LOOK;
    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        if (memmem(head, room, TEXTS[i].word, strlen(TEXTS[i].word)) != NULL) {
            return TEXTS[i].name;
        }
    }
    return "text";
}
