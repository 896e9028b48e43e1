/* Metadata through the confined helper, from photos that the test puts together: an EXIF block with
 * a maker's notes, whose names of lenses exiv2 looks up with system calls that no child may make.
 */
#include "base/prelude.h"

#include "media-host.h"

#define LOCAL_US   (INT64_C(1564680862) * 1000000) /* 2019-08-01 17:34:22 */
#define BLOCK_ROOM 512

/* A TIFF structure in the making, little-endian. */
typedef struct block {
    uint8_t bytes[BLOCK_ROOM];
    size_t size;
} block;

static void put(block *b, uint32_t value, size_t width)
{
    for (size_t i = 0; i < width && b->size < sizeof b->bytes; i++) {
        b->bytes[b->size++] = (uint8_t) (value >> (8 * i));
    }
}

static void put_text(block *b, const char *text, size_t room)
{
    for (size_t i = 0; i < room; i++) {
        put(b, i < strlen(text) ? (uint8_t) text[i] : 0, 1);
    }
}

static void put_entry(block *b, uint32_t tag, uint32_t type, uint32_t count, uint32_t value)
{
    put(b, tag, 2);
    put(b, type, 2);
    put(b, count, 4);
    put(b, value, 4);
}

enum { ASCII = 2, SHORT = 3, LONG = 4, UNDEFINED = 7 };
enum { AT_MAKE = 50, AT_EXIF = 56, AT_TIME = 98, AT_OFFSET = 118, AT_NOTES = 126, AT_CANON = 144 };
enum { CANON_SHORTS = 27, CANON_LENS = 22, NOTES_SIZE = AT_CANON - AT_NOTES + CANON_SHORTS * 2 };

/* Make, orientation, time, offset, and what Canon says of the lens: an EF 28mm f/2.8. */
static block exif_of_canon(void)
{
    block b = { .size = 0 };
    put_text(&b, "II*", 4);
    put(&b, 8, 4);
    put(&b, 3, 2);
    put_entry(&b, 0x010f, ASCII, 6, AT_MAKE);
    put_entry(&b, 0x0112, SHORT, 1, 6);
    put_entry(&b, 0x8769, LONG, 1, AT_EXIF);
    put(&b, 0, 4);
    put_text(&b, "Canon", 6);
    put(&b, 3, 2);
    put_entry(&b, 0x9003, ASCII, 20, AT_TIME);
    put_entry(&b, 0x9011, ASCII, 7, AT_OFFSET);
    put_entry(&b, 0x927c, UNDEFINED, NOTES_SIZE, AT_NOTES);
    put(&b, 0, 4);
    put_text(&b, "2019:08:01 17:34:22", 20);
    put_text(&b, "+02:00", 8);
    put(&b, 1, 2);
    put_entry(&b, 0x0001, SHORT, CANON_SHORTS, AT_CANON);
    put(&b, 0, 4);
    for (uint32_t i = 0; i < CANON_SHORTS; i++) {
        /* Number, longest, shortest, unit; then the widest aperture in steps of a 32nd: newer
         * versions of exiv2 name a lens only when that fits as well. */
        static const uint32_t LENS[] = { 2, 28, 28, 1, 96 };
        put(&b, i == 0 ? CANON_SHORTS * 2 : i >= CANON_LENS ? LENS[i - CANON_LENS] : 0, 2);
    }
    return b;
}

/* The small picture with the first `size` bytes of the block as its EXIF. */
static void probe_with(probed *p, const block *b, size_t size)
{
    AUTO(bytes_auto) bytes picture = read_made("small.jpg");
    size_t segment = 2 + 6 + size;
    uint8_t *data = malloc(picture.size + segment + 2);
    if (CHECK(data != NULL && picture.size > 2)) {
        const uint8_t head[] = {
            0xff, 0xd8, 0xff, 0xe1, (uint8_t) (segment >> 8), (uint8_t) segment, 'E', 'x',
            'i',  'f',  0,    0
        };
        memcpy(data, head, sizeof head);
        memcpy(data + sizeof head, b->bytes, size);
        memcpy(data + sizeof head + size, picture.ptr + 2, picture.size - 2);
        probe_bytes(p, data, picture.size + segment + 2);
    }
    free(data);
}

static void a_photo_tells_camera_lens_and_time(void)
{
    block b = exif_of_canon();
    probed p;
    CHECK_INT(b.size, AT_CANON + CANON_SHORTS * 2);
    probe_with(&p, &b, b.size);
    const media_facts *facts = &p.report.facts;
    if (CHECK_STATUS(p.status, PGC_OK, &p.err)) {
        CHECK_STR(facts->camera_make, "Canon");
        if (!CHECK(strncmp(facts->lens_model, "Canon EF 28mm f/2.8", 19) == 0)) {
            printf("# lens \"%s\"\n", facts->lens_model);
        }
        CHECK_INT(facts->orientation, 6);
        CHECK_INT(facts->has_taken, 1);
        CHECK_INT(facts->taken_local_us, LOCAL_US);
        CHECK_INT(facts->offset_minutes, 120);
        CHECK_INT(facts->width, 200);
    }
    probed_done(&p);
}

/* However the block is cut or damaged, the picture stays a picture. */
static void damaged_metadata_costs_no_photo(void)
{
    block b = exif_of_canon();
    for (size_t size = 0; size < b.size; size += 7) {
        probed p;
        probe_with(&p, &b, size);
        CHECK_STATUS(p.status, PGC_OK, &p.err);
        probed_done(&p);
    }
    for (size_t at = 8; at < b.size; at += 5) {
        block damaged = b;
        probed p;
        damaged.bytes[at] = 0xff;
        probe_with(&p, &damaged, damaged.size);
        CHECK_STATUS(p.status, PGC_OK, &p.err);
        probed_done(&p);
    }
}

TAP_MAIN(TAP("a photo tells camera, lens and time", a_photo_tells_camera_lens_and_time),
         TAP("damaged metadata costs no photo", damaged_metadata_costs_no_photo))
