/* Whole and damaged PNG files. */
#include "base/prelude.h"

#include <lumilio/status.h>

#include "media/png_check.h"

#include "image.h"
#include "tap.h"

/* One chunk of each kind that photos have; PLACES says where each begins. */
static const char *const TYPES[] = { "IHDR", "gAMA", "iCCP", "PLTE", "eXIf",
                                     "tEXt", "IDAT", "IDAT", "IEND" };
#define CHUNKS    ARRAY_LEN(TYPES)
#define OVERHEAD  12 /* bytes of a chunk beside its data */
#define SIGNATURE 8

typedef struct sample {
    image_bytes file;
    size_t places[CHUNKS + 1]; /* the last: the file's end */
} sample;

static size_t data_size(const char *type)
{
    return strcmp(type, "IHDR") == 0 ? 13 : strcmp(type, "IEND") == 0 ? 0 : 20;
}

static void sample_init(sample *self)
{
    uint8_t data[20];
    memset(self, 0, sizeof *self);
    image_add(&self->file, "\x89PNG\r\n\x1a\n", SIGNATURE);
    for (size_t i = 0; i < CHUNKS; i++) {
        self->places[i] = self->file.len;
        memset(data, (int) (7 + i), sizeof data);
        image_chunk(&self->file, TYPES[i], data, data_size(TYPES[i]));
    }
    self->places[CHUNKS] = self->file.len;
}

static void sample_auto(sample *self)
{
    free(self->file.ptr);
}

#define SAMPLE(name)               \
    AUTO(sample_auto) sample name; \
    sample_init(&(name))

/* Refused, with words of the reason. The copy ends where the file does, so that a sanitizer sees a
 * byte read too many. */
static bool refused(const uint8_t *bytes, size_t size, const char *words)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    pgc_error err;
    pgc_error_clear(&err);
    pgc_status status = PGC_OK;
    if (CHECK(copy != NULL)) {
        memcpy(copy, bytes, size);
        status = png_check(copy, size, &err);
    }
    free(copy);
    bool good = status == LUM_MEDIA_CORRUPT && strstr(err.message, words) != NULL;
    if (!good) {
        printf("# %zu bytes, want \"%s\", got %d \"%s\"\n", size, words, (int) status, err.message);
    }
    return good;
}

static void a_whole_file_passes(void)
{
    SAMPLE(self);
    pgc_error err;
    CHECK_STATUS(png_check(self.file.ptr, self.file.len, &err), PGC_OK, &err);
    image_bytes drawn = image_png(300, 200, 3);
    CHECK_STATUS(png_check(drawn.ptr, drawn.len, &err), PGC_OK, &err);
    free(drawn.ptr);
}

static void bytes_behind_the_end_are_nobodys(void)
{
    SAMPLE(self);
    pgc_error err;
    image_add(&self.file, "a film of a telephone", 21);
    CHECK_STATUS(png_check(self.file.ptr, self.file.len, &err), PGC_OK, &err);
}

/* Data and checksum of every chunk: the message names the chunk. */
static void a_flipped_bit_names_its_chunk(void)
{
    SAMPLE(self);
    for (size_t i = 0; i < CHUNKS; i++) {
        size_t data = self.places[i] + 8;
        char words[64];
        (void) snprintf(words, sizeof words, "chunk %s at byte %zu is damaged: its checksum",
                        TYPES[i], self.places[i]);
        for (size_t bit = data * 8; bit < self.places[i + 1] * 8; bit++) {
            self.file.ptr[bit / 8] ^= (uint8_t) (1u << bit % 8);
            CHECK(refused(self.file.ptr, self.file.len, words));
            self.file.ptr[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
    }
}

/* Also in lengths, types and the mark at the start. */
static void no_flipped_bit_passes(void)
{
    SAMPLE(self);
    for (size_t bit = 0; bit < self.file.len * 8; bit++) {
        self.file.ptr[bit / 8] ^= (uint8_t) (1u << bit % 8);
        CHECK(refused(self.file.ptr, self.file.len, ""));
        self.file.ptr[bit / 8] ^= (uint8_t) (1u << bit % 8);
    }
}

static void no_cut_file_passes(void)
{
    SAMPLE(self);
    for (size_t size = 0; size < self.file.len; size++) {
        CHECK(refused(self.file.ptr, size, size < SIGNATURE ? "no mark" : "file ends early"));
    }
}

static void a_missing_end_is_told(void)
{
    SAMPLE(self);
    CHECK(refused(self.file.ptr, self.places[CHUNKS - 1], "before IEND"));
}

/* The largest length that the format allows, and larger ones. */
static void a_huge_length_stays_inside_the_file(void)
{
    SAMPLE(self);
    static const struct {
        uint8_t length[4];
        const char *words;
    } HUGE[] = {
        { { 0x7f, 0xff, 0xff, 0xff }, "chunk IDAT at byte" },
        { { 0x80, 0, 0, 0 }, "structure is damaged" },
        { { 0xff, 0xff, 0xff, 0xff }, "structure is damaged" },
        { { 0xff, 0xff, 0xff, 0xf4 }, "structure is damaged" }, /* with the frame: zero */
    };
    for (size_t i = 0; i < ARRAY_LEN(HUGE); i++) {
        memcpy(self.file.ptr + self.places[6], HUGE[i].length, 4);
        CHECK(refused(self.file.ptr, self.file.len, HUGE[i].words));
    }
}

static void the_header_comes_first(void)
{
    SAMPLE(self);
    AUTO(sample_auto) sample other = { .places = { 0 } };
    image_add(&other.file, self.file.ptr, SIGNATURE);
    image_add(&other.file, self.file.ptr + self.places[1], self.file.len - self.places[1]);
    CHECK(refused(other.file.ptr, other.file.len, "no IHDR"));
    other.file.len = SIGNATURE;
    image_chunk(&other.file, "IHDR", self.file.ptr, 12);
    image_chunk(&other.file, "IEND", NULL, 0);
    CHECK(refused(other.file.ptr, other.file.len, "no IHDR"));
}

static void the_error_is_optional(void)
{
    CHECK_INT(png_check((const uint8_t *) "", 0, NULL), LUM_MEDIA_CORRUPT);
}

TAP_MAIN(TAP("png-check: a whole file passes", a_whole_file_passes),
         TAP("png-check: bytes behind the end are nobody's", bytes_behind_the_end_are_nobodys),
         TAP("png-check: a flipped bit names its chunk", a_flipped_bit_names_its_chunk),
         TAP("png-check: no flipped bit passes", no_flipped_bit_passes),
         TAP("png-check: no cut file passes", no_cut_file_passes),
         TAP("png-check: a missing end is told", a_missing_end_is_told),
         TAP("png-check: a huge length stays inside the file", a_huge_length_stays_inside_the_file),
         TAP("png-check: the header comes first", the_header_comes_first),
         TAP("png-check: the error is optional", the_error_is_optional))
