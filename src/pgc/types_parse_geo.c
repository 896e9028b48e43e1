/* Text forms of geometric types of fixed size. Pure functions; any thread. */
#include "base/prelude.h"

#include "pgc/types_parse.h"

bool scan_point(scan *s, pgc_point *out)
{
    pgc_point value;
    if (!scan_char(s, '(') || !scan_f64(s, &value.x) || !scan_char(s, ',') ||
        !scan_f64(s, &value.y) || !scan_char(s, ')')) {
        return false;
    }
    *out = value;
    return true;
}

bool parse_point(pgc_text text, pgc_point *out)
{
    scan s = scan_of(text);
    pgc_point value;
    if (!scan_point(&s, &value) || !scan_done(&s)) {
        return false;
    }
    *out = value;
    return true;
}

bool parse_line(pgc_text text, pgc_line *out)
{
    scan s = scan_of(text);
    pgc_line value;
    if (!scan_char(&s, '{') || !scan_f64(&s, &value.a) || !scan_char(&s, ',') ||
        !scan_f64(&s, &value.b) || !scan_char(&s, ',') || !scan_f64(&s, &value.c) ||
        !scan_char(&s, '}') || !scan_done(&s)) {
        return false;
    }
    *out = value;
    return true;
}

bool parse_lseg(pgc_text text, pgc_lseg *out)
{
    scan s = scan_of(text);
    pgc_lseg value;
    if (!scan_char(&s, '[') || !scan_point(&s, &value.from) || !scan_char(&s, ',') ||
        !scan_point(&s, &value.to) || !scan_char(&s, ']') || !scan_done(&s)) {
        return false;
    }
    *out = value;
    return true;
}

bool parse_box(pgc_text text, pgc_box *out)
{
    scan s = scan_of(text);
    pgc_box value;
    if (!scan_point(&s, &value.high) || !scan_char(&s, ',') || !scan_point(&s, &value.low) ||
        !scan_done(&s)) {
        return false;
    }
    *out = value;
    return true;
}

bool parse_circle(pgc_text text, pgc_circle *out)
{
    scan s = scan_of(text);
    pgc_circle value;
    if (!scan_char(&s, '<') || !scan_point(&s, &value.center) || !scan_char(&s, ',') ||
        !scan_f64(&s, &value.radius) || !scan_char(&s, '>') || !scan_done(&s)) {
        return false;
    }
    *out = value;
    return true;
}
