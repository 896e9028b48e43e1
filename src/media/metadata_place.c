/* Coordinates. Invariant: a coordinate that is given out lies on the globe; one whose hemisphere is
 * not known is none. Pure, any thread. */
#include "base/prelude.h"

#include "media/metadata_place.h"

enum { PARTS_MAX = 3 };

/* +1, -1, or 0 when the letter does not belong to the axis. */
static int letter_sign(char letter, metadata_axis axis)
{
    switch (letter) {
    case 'N':
    case 'n':
        return axis == METADATA_LATITUDE ? 1 : 0;
    case 'S':
    case 's':
        return axis == METADATA_LATITUDE ? -1 : 0;
    case 'E':
    case 'e':
        return axis == METADATA_LONGITUDE ? 1 : 0;
    case 'W':
    case 'w':
        return axis == METADATA_LONGITUDE ? -1 : 0;
    default:
        return 0;
    }
}

/* The poles and the date line belong to the globe. */
static bool in_range(double degrees, metadata_axis axis)
{
    /* Not the other way round: NaN fails. */
    return fabs(degrees) <= (axis == METADATA_LATITUDE ? 90 : 180);
}

bool metadata_coordinate(const metadata_ratio parts[3], metadata_axis axis, slice reference,
                         double *out)
{
    static const double UNIT[] = { 1, 60, 3600 };
    slice letter = slice_trim(slice_sub(reference, 0, slice_find(reference, '\0', 0)));
    int sign = letter.len > 0 ? letter_sign(letter.ptr[0], axis) : 0;
    double degrees = 0;
    for (size_t i = 0; i < ARRAY_LEN(UNIT); i++) {
        double value = 0;
        if (!metadata_ratio_value(parts[i], &value) || value < 0) {
            return false;
        }
        degrees += value / UNIT[i];
    }
    if (sign == 0 || !in_range(degrees, axis)) {
        return false;
    }
    *out = sign * degrees;
    return true;
}

/* Skips blanks and one mark that may stand between the parts; true when it was one that says
 * "degrees and minutes follow". */
static bool skip_mark(slice *text)
{
    static const char *const MARKS[] = { "deg", "\xc2\xb0", "'", "\"", "," };
    *text = slice_trim(*text);
    for (size_t i = 0; i < ARRAY_LEN(MARKS); i++) {
        slice mark = { MARKS[i], strlen(MARKS[i]) };
        if (slice_starts(*text, mark)) {
            *text = slice_trim(slice_sub(*text, mark.len, text->len));
            return true;
        }
    }
    return false;
}

/* A number without a fraction bar at the start of *text, which then begins behind it. */
static bool take_part(slice *text, double *out)
{
    size_t length = 0;
    while (length < text->len && strchr("+-.0123456789", text->ptr[length]) != NULL &&
           text->ptr[length] != '\0') {
        length++;
    }
    if (length == 0 || !slice_to_f64(slice_sub(*text, 0, length), out)) {
        return false;
    }
    *text = slice_sub(*text, length, text->len);
    return true;
}

/* Without marks the number is a plain one with its own sign; with them the letter has the sign, and
 * there must be one. */
bool metadata_parse_coordinate(slice text, metadata_axis axis, double *out)
{
    static const double UNIT[PARTS_MAX] = { 1, 60, 3600 };
    slice rest = slice_trim(text);
    double degrees = 0;
    bool marked = false;
    for (size_t i = 0; i < PARTS_MAX; i++) {
        double value = 0;
        if (!take_part(&rest, &value)) {
            break;
        }
        if (i > 0 && value < 0) {
            return false;
        }
        degrees += value / UNIT[i];
        marked = skip_mark(&rest) || marked || i > 0;
    }
    bool any = rest.ptr != slice_trim(text).ptr;
    int sign = rest.len == 1 ? letter_sign(rest.ptr[0], axis) : 0;
    bool plain = rest.len == 0 && !marked;
    if (!any || (sign == 0 && !plain) || (sign != 0 && degrees < 0) || !in_range(degrees, axis)) {
        return false;
    }
    *out = plain ? degrees : sign * degrees;
    return true;
}
