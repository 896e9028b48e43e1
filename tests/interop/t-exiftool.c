/* Our facts of real photos, read through the confined helper, beside what exiftool says of them. */
#include "base/prelude.h"

#include <jansson.h>

#include "../fault/media-host.h"

#include "exiftool-lists.h"

#define TEXT_ROOM      256
#define EQUAL_SHARE    0.99
#define PHOTOS_MAX     4096
#define EXIFTOOL_US    INT64_C(300000000)
#define DEGREES_APART  1e-6
#define RELATIVE_APART 1e-5

/* What exiftool says of all files: numbers as they are, and worded for people. */
static json_t *plain;
static json_t *worded;
static char folder[512];
static bool listed_seen[ARRAY_LEN(DIFFERENCES)];
static bool refusal_seen[ARRAY_LEN(REFUSALS)];
static struct {
    size_t files, compared, equal, listed, only_ours, only_theirs;
} totals;

static json_t *run_exiftool(bool numbers)
{
    static const char *const TAGS[] = { "-Make",
                                        "-Model",
                                        "-LensModel",
                                        "-LensID",
                                        "-Lens",
                                        "-ISO",
                                        "-FNumber",
                                        "-ExposureTime",
                                        "-FocalLength",
                                        "-Composite:GPSLatitude",
                                        "-Composite:GPSLongitude",
                                        "-Composite:GPSAltitude",
                                        "-GPSDateTime",
                                        "-Orientation",
                                        "-ImageWidth",
                                        "-ImageHeight",
                                        "-Rotation",
                                        "-MIMEType",
                                        "-DateTimeOriginal",
                                        "-CreateDate",
                                        "-DateCreated",
                                        "-ModifyDate",
                                        "-SubSecTimeOriginal",
                                        "-OffsetTimeOriginal",
                                        "-OffsetTime",
                                        "-TimeZoneOffset" };
    const char *argv[ARRAY_LEN(TAGS) + 9] = {
        "exiftool", "-json", "-G0", "-q", "-q", "-r", folder
    };
    size_t count = 7;
    if (numbers) {
        argv[count++] = "-n";
    }
    for (size_t i = 0; i < ARRAY_LEN(TAGS); i++) {
        argv[count++] = TAGS[i];
    }
    AUTO(fd_auto) int out = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    proc_options options = { .argv = argv, .out_fd = out, .timeout_us = EXIFTOOL_US };
    int code = -1;
    pgc_error err;
    pgc_status status = proc_run(env_default(), &options, &code, &err);
    if (status == PGC_NOT_FOUND) {
        return NULL;
    }
    /* 1: it could not read some of the files. */
    CHECK_STATUS(status, PGC_OK, &err);
    CHECK(code == 0 || code == 1);
    (void) lseek(out, 0, SEEK_SET);
    json_error_t why;
    json_t *all = json_loadfd(out, 0, &why);
    if (!CHECK(all != NULL)) {
        printf("# exiftool's answer: %s at line %d\n", why.text, why.line);
    }
    return all;
}

__attribute__((destructor)) static void forget_answers(void)
{
    json_decref(plain);
    json_decref(worded);
}

static void value_text(const json_t *value, char out[TEXT_ROOM])
{
    out[0] = '\0';
    if (json_is_string(value)) {
        slice text = slice_trim((slice) { json_string_value(value), json_string_length(value) });
        (void) snprintf(out, TEXT_ROOM, "%" SLICE_FMT, SLICE_ARG(text));
    } else if (json_is_integer(value)) {
        (void) snprintf(out, TEXT_ROOM, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        (void) snprintf(out, TEXT_ROOM, "%.10g", json_real_value(value));
    }
}

/* exiftool's word on a tag as text, "" when it has none. Standards go before a maker's notes, which
 * go before everything else. The size is best known by the file's format itself, save for the
 * previews in raw files. */
static void their_text(json_t *file, const char *tag, char out[TEXT_ROOM])
{
    static const char *const GROUPS[] = { "EXIF", "XMP", "IPTC", "Composite", "MakerNotes" };
    char key[64];
    const char *mime = json_string_value(json_object_get(file, "File:MIMEType"));
    out[0] = '\0';
    if (mime == NULL || strncmp(mime, "image/x-", strlen("image/x-")) != 0) {
        (void) snprintf(key, sizeof key, "File:%s", tag);
        value_text(json_object_get(file, key), out);
    }
    for (size_t i = 0; i < ARRAY_LEN(GROUPS) && out[0] == '\0'; i++) {
        (void) snprintf(key, sizeof key, "%s:%s", GROUPS[i], tag);
        value_text(json_object_get(file, key), out);
    }
    const char *name;
    json_t *value;
    json_object_foreach(file, name, value)
    {
        const char *colon = strchr(name, ':');
        if (out[0] == '\0' && colon != NULL && strcmp(colon + 1, tag) == 0) {
            value_text(value, out);
        }
    }
}

/* The first of the tags that is there. */
static void their_first(json_t *file, const char *const *tags, char out[TEXT_ROOM])
{
    out[0] = '\0';
    for (; *tags != NULL && out[0] == '\0'; tags++) {
        their_text(file, *tags, out);
    }
}

static bool their_number(json_t *file, const char *tag, double *out)
{
    char text[TEXT_ROOM];
    their_text(file, tag, text);
    return slice_to_f64((slice) { text, strlen(text) }, out);
}

/* --- comparing --- */

static void count_difference(const char *file, const char *field, const char *ours,
                             const char *theirs)
{
    for (size_t i = 0; i < ARRAY_LEN(DIFFERENCES); i++) {
        const difference *d = &DIFFERENCES[i];
        if (strcmp(d->file, file) == 0 && strcmp(d->field, field) == 0 &&
            strcmp(d->ours, ours) == 0 && strcmp(d->theirs, theirs) == 0) {
            listed_seen[i] = true;
            totals.listed++;
            return;
        }
    }
    printf("# not listed: { \"%s\", \"%s\", \"%s\", \"%s\" }\n", file, field, ours, theirs);
    (void) tap_check(false, "every difference is listed with its reason", __FILE__, __LINE__);
}

/* Both sides as text, "" for unknown; same tells whether they say the same. */
static void compare(const char *file, const char *field, const char *ours, const char *theirs,
                    bool same)
{
    if (ours[0] == '\0' || theirs[0] == '\0') {
        totals.only_ours += ours[0] != '\0' ? 1 : 0;
        totals.only_theirs += theirs[0] != '\0' ? 1 : 0;
        if (theirs[0] != '\0') {
            printf("# only exiftool: %s: %s: %s\n", file, field, theirs);
        }
        return;
    }
    totals.compared++;
    if (same) {
        totals.equal++;
    } else {
        count_difference(file, field, ours, theirs);
    }
}

static void compare_text(const char *file, const char *field, const char *ours, const char *theirs)
{
    compare(file, field, ours, theirs, strcmp(ours, theirs) == 0);
}

static void compare_number(const char *file, const char *field, bool known, double ours,
                           json_t *answer, const char *tag, double apart)
{
    char our_words[TEXT_ROOM] = "";
    char their_words[TEXT_ROOM];
    double theirs = 0;
    bool has = their_number(answer, tag, &theirs);
    their_text(answer, tag, their_words);
    if (known) {
        (void) snprintf(our_words, sizeof our_words, "%.10g", ours);
    }
    /* exiftool writes 0 and "undef" for what a camera left open. */
    bool nothing = !has || (!(fabs(theirs) > 0) && strncmp(field, "GPS", 3) != 0);
    compare(file, field, our_words, nothing ? "" : their_words, fabs(ours - theirs) <= apart);
}

/* Names of lenses differ in blanks, capitals and ".0" without meaning anything by it. */
static void lens_words(const char *text, char out[TEXT_ROOM])
{
    size_t at = 0;
    for (; *text != '\0' && at + 1 < TEXT_ROOM; text++) {
        if (strncmp(text, ".0", 2) == 0 && !isdigit((unsigned char) text[2])) {
            text++;
        } else if (*text != ' ') {
            out[at++] = (char) tolower((unsigned char) *text);
        }
    }
    out[at] = '\0';
}

static void compare_lens(const char *file, const media_facts *facts, json_t *words)
{
    static const char *const TAGS[] = { "LensModel", "LensID", "Lens", NULL };
    static const char *const RANGE[] = { "Lens", NULL };
    char theirs[TEXT_ROOM];
    char our_words[TEXT_ROOM];
    char their_words[TEXT_ROOM];
    their_first(words, TAGS, theirs);
    if (strncmp(theirs, "Unknown", 7) == 0) {
        their_first(words, RANGE, theirs);
    }
    lens_words(facts->lens_model, our_words);
    lens_words(theirs, their_words);
    compare(file, "Lens", facts->lens_model, theirs, strcmp(our_words, their_words) == 0);
}

static void compare_camera(const char *file, const media_facts *facts, json_t *numbers,
                           json_t *words)
{
    char theirs[TEXT_ROOM];
    their_text(numbers, "Make", theirs);
    compare_text(file, "Make", facts->camera_make, theirs);
    their_text(numbers, "Model", theirs);
    compare_text(file, "Model", facts->camera_model, theirs);
    compare_lens(file, facts, words);
    their_text(words, "ExposureTime", theirs);
    compare_text(file, "ExposureTime", facts->shutter_speed,
                 strcmp(theirs, "0") == 0 ? "" : theirs);
    compare_number(file, "ISO", facts->iso > 0, facts->iso, words, "ISO", 0.5);
    compare_number(file, "FNumber", facts->aperture > 0, facts->aperture, numbers, "FNumber",
                   facts->aperture * RELATIVE_APART);
    compare_number(file, "FocalLength", facts->focal_length_mm > 0, facts->focal_length_mm, numbers,
                   "FocalLength", facts->focal_length_mm * RELATIVE_APART);
}

static void compare_place(const char *file, const media_facts *facts, json_t *numbers)
{
    bool known = facts->has_gps != 0;
    compare_number(file, "GPSLatitude", known, facts->latitude, numbers, "GPSLatitude",
                   DEGREES_APART);
    compare_number(file, "GPSLongitude", known, facts->longitude, numbers, "GPSLongitude",
                   DEGREES_APART);
    compare_number(file, "GPSAltitude", facts->has_altitude != 0, facts->altitude_m, numbers,
                   "GPSAltitude", 1e-3 + fabs(facts->altitude_m) * RELATIVE_APART);
}

static void compare_size(const char *file, const media_facts *facts, json_t *numbers)
{
    double orientation = 1;
    double rotation = 0;
    (void) their_number(numbers, "Orientation", &orientation);
    bool turned = orientation >= 5 && orientation <= 8;
    if (strcmp(facts->mime, "image/heic") == 0 || strcmp(facts->mime, "image/avif") == 0 ||
        strcmp(facts->mime, "image/x-sigma-x3f") == 0) {
        /* These files turn themselves. */
        turned = their_number(numbers, "Rotation", &rotation) && fmod(rotation, 180) > 0;
    }
    compare_number(file, "Orientation", true, facts->orientation, numbers, "Orientation", 0);
    compare_number(file, "ImageWidth", facts->width > 0, facts->width, numbers,
                   turned ? "ImageHeight" : "ImageWidth", 0);
    compare_number(file, "ImageHeight", facts->height > 0, facts->height, numbers,
                   turned ? "ImageWidth" : "ImageHeight", 0);
}

/* "YYYY:MM:DD hh:mm:ss" of the wall clock, as exiftool writes it. */
static void time_words(const media_facts *facts, char out[TEXT_ROOM])
{
    out[0] = '\0';
    if (facts->has_taken == 0) {
        return;
    }
    int64_t us = facts->taken_local_us;
    time_t seconds = (time_t) (us >= 0 ? us / 1000000 : -((-us + 999999) / 1000000));
    struct tm parts;
    if (gmtime_r(&seconds, &parts) != NULL) {
        (void) strftime(out, TEXT_ROOM, "%Y:%m:%d %H:%M:%S", &parts);
    }
}

/* The offset behind the 19 bytes of a time and its fraction; else the tags beside it. */
static void their_offset(json_t *numbers, const char *time, char out[TEXT_ROOM])
{
    static const char *const TAGS[] = { "OffsetTimeOriginal", "OffsetTime", NULL };
    const char *sign = strlen(time) > 19 ? strpbrk(time + 19, "+-Z") : NULL;
    if (sign != NULL) {
        (void) snprintf(out, TEXT_ROOM, "%s", sign);
    } else {
        their_first(numbers, TAGS, out);
    }
    if (out[0] == 'Z') {
        (void) snprintf(out, TEXT_ROOM, "+00:00");
    }
}

static void compare_time(const char *file, const media_facts *facts, json_t *numbers)
{
    static const char *const TAGS[] = { "DateTimeOriginal", "CreateDate",  "DateCreated",
                                        "ModifyDate",       "GPSDateTime", NULL };
    char theirs[TEXT_ROOM];
    char ours[TEXT_ROOM];
    char offset[TEXT_ROOM];
    char our_offset[TEXT_ROOM] = "";
    their_first(numbers, TAGS, theirs);
    time_words(facts, ours);
    bool blank = strncmp(theirs, "0000:00:00", 10) == 0 || strspn(theirs, " :") == strlen(theirs);
    their_offset(numbers, theirs, offset);
    /* A date alone is midnight to us; fractions and offsets are compared below. */
    size_t length = strlen(theirs) < strlen(ours) ? strlen(theirs) : strlen(ours);
    compare(file, "Time", ours, blank ? "" : theirs, strncmp(ours, theirs, length) == 0);
    if (facts->has_offset != 0) {
        int minutes = abs(facts->offset_minutes);
        (void) snprintf(our_offset, sizeof our_offset, "%c%02d:%02d",
                        facts->offset_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
    }
    compare_text(file, "Offset", our_offset, offset);
    their_text(numbers, "SubSecTimeOriginal", theirs);
    if (theirs[0] != '\0' && facts->has_taken != 0) {
        double fraction = 0;
        char text[TEXT_ROOM + 2];
        (void) snprintf(text, sizeof text, "0.%s", theirs);
        (void) snprintf(ours, sizeof ours, "%.6f",
                        (double) (facts->taken_local_us % 1000000) / 1e6);
        (void) slice_to_f64((slice) { text, strlen(text) }, &fraction);
        (void) snprintf(theirs, sizeof theirs, "%.6f", fraction);
        compare_text(file, "SubSecond", ours, theirs);
    }
}

/* --- walking --- */

/* Entry of the file in the other answer: both were made by the same walk. */
static json_t *words_of(const char *source, size_t index)
{
    json_t *entry = json_array_get(worded, index);
    char name[1024];
    (void) snprintf(name, sizeof name, "%s",
                    json_string_value(json_object_get(entry, "SourceFile")));
    return strcmp(name, source) == 0 ? entry : NULL;
}

static void compare_file(const char *path, size_t index)
{
    json_t *numbers = json_array_get(plain, index);
    json_t *words = words_of(path, index);
    const char *file = path + strlen(folder) + 1;
    AUTO(fd_auto) int fd = open(path, O_RDONLY | O_CLOEXEC);
    media_report report;
    pgc_error err;
    if (!CHECK(words != NULL) ||
        media_host_probe(shared_host(), fd, NULL, &report, &err) != PGC_OK ||
        report.facts.kind != MEDIA_PHOTO) {
        return;
    }
    totals.files++;
    compare_camera(file, &report.facts, numbers, words);
    compare_place(file, &report.facts, numbers);
    compare_size(file, &report.facts, numbers);
    compare_time(file, &report.facts, numbers);
}

/* What a photo is, in exiftool's words. */
static bool is_photo(const char *mime)
{
    static const char *const MIMES[] = {
        "image/jpeg",
        "image/tiff",
        "image/heic",
        "image/heif",
        "image/avif",
        "image/png",
        "image/webp",
        "image/gif",
        "image/bmp",
        "image/x-canon-cr2",
        "image/x-canon-cr3",
        "image/x-canon-crw",
        "image/x-nikon-nef",
        "image/x-sony-arw",
        "image/x-adobe-dng",
        "image/x-olympus-orf",
        "image/x-panasonic-rw2",
        "image/x-pentax-pef",
        "image/x-fujifilm-raf",
        "image/x-minolta-mrw",
        "image/x-samsung-srw",
        "image/x-sigma-x3f",
    };
    for (size_t i = 0; i < ARRAY_LEN(MIMES); i++) {
        if (strcmp(mime, MIMES[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Decoded to thumbnails as an import does it. */
static void check_accepted(const char *path, const char *mime)
{
    const char *file = path + strlen(folder) + 1;
    AUTO(fd_auto) int fd = open(path, O_RDONLY | O_CLOEXEC);
    probed p;
    probe_fd(&p, shared_host(), fd);
    bool listed = false;
    for (size_t i = 0; i < ARRAY_LEN(REFUSALS); i++) {
        bool same = strcmp(REFUSALS[i].file, file) == 0;
        refusal_seen[i] = refusal_seen[i] || (same && p.status != PGC_OK);
        listed = listed || same;
    }
    if (p.status != PGC_OK && !listed) {
        printf("# refused: %s (%s): %s\n", file, mime, p.err.message);
        (void) tap_check(false, "refused for a listed reason", __FILE__, __LINE__);
    }
    probed_done(&p);
}

static bool prepare(void)
{
    if (plain == NULL && find_photos(folder, sizeof folder)) {
        plain = run_exiftool(true);
        worded = run_exiftool(false);
    }
    return plain != NULL && worded != NULL;
}

static void facts_agree_with_exiftool(void)
{
    if (!prepare()) {
        TAP_SKIP("no photos beside the checkout, or no exiftool");
    }
    CHECK_INT(json_array_size(plain), json_array_size(worded));
    for (size_t i = 0; i < json_array_size(plain) && i < PHOTOS_MAX; i++) {
        json_t *entry = json_array_get(plain, i);
        compare_file(json_string_value(json_object_get(entry, "SourceFile")), i);
    }
    printf("# %zu photos: %zu fields that both have, %zu equal, %zu differ and are listed\n",
           totals.files, totals.compared, totals.equal, totals.listed);
    printf("# fields that only we have: %zu; only exiftool: %zu\n", totals.only_ours,
           totals.only_theirs);
    CHECK(totals.compared > 0);
    CHECK((double) totals.equal >= EQUAL_SHARE * (double) totals.compared);
}

static void every_listed_difference_is_there(void)
{
    if (!prepare()) {
        TAP_SKIP("no photos beside the checkout, or no exiftool");
    }
    for (size_t i = 0; i < ARRAY_LEN(DIFFERENCES); i++) {
        bool optional = strncmp(DIFFERENCES[i].why, SOME_VERSIONS, sizeof SOME_VERSIONS - 1) == 0;
        if (!CHECK(listed_seen[i] || optional)) {
            printf("# gone: %s: %s\n", DIFFERENCES[i].file, DIFFERENCES[i].field);
        }
    }
}

static void photos_are_taken(void)
{
    if (!prepare()) {
        TAP_SKIP("no photos beside the checkout, or no exiftool");
    }
    for (size_t i = 0; i < json_array_size(plain) && i < PHOTOS_MAX; i++) {
        json_t *entry = json_array_get(plain, i);
        char mime[TEXT_ROOM];
        their_text(entry, "MIMEType", mime);
        if (is_photo(mime)) {
            check_accepted(json_string_value(json_object_get(entry, "SourceFile")), mime);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(REFUSALS); i++) {
        if (!CHECK(refusal_seen[i])) {
            printf("# taken now: %s\n", REFUSALS[i].file);
        }
    }
}

TAP_MAIN(TAP("exiftool: the same values but for listed differences", facts_agree_with_exiftool),
         TAP("exiftool: no listed difference is out of date", every_listed_difference_is_there),
         TAP("exiftool: every photo is taken, or refused for a listed reason", photos_are_taken))
