/* Text for people: escapes, widths, sizes. No state. */
#include "cli/prelude.h"

#include "cli/cli.h"

#define SAFE_TEXT_MAX ((size_t) 1 << 20) /* bytes; longer texts are cut */

/* Escapes of a terminal can do anything from hiding text to running commands; they come in with
 * file names and metadata. */
void cli_add_safe(buf *out, slice text)
{
    while (text.len > 0) {
        size_t len = slice_char_length(text);
        size_t take = len == 0 ? 1 : len;
        if (len == 0 || slice_is_control(slice_sub(text, 0, len))) {
            for (size_t i = 0; i < take; i++) {
                buf_printf(out, "\\x%02x", (unsigned) (unsigned char) text.ptr[i]);
            }
        } else {
            buf_add(out, slice_sub(text, 0, len));
        }
        text = slice_sub(text, take, text.len);
    }
}

void cli_print_safe(FILE *out, slice text)
{
    AUTO(buf_auto) buf safe;
    buf_init(&safe, NULL, SAFE_TEXT_MAX);
    cli_add_safe(&safe, text);
    (void) fwrite(buf_view(&safe).ptr, 1, buf_view(&safe).len, out);
}

/* Characters, not columns: wide ones count as one, which only makes a table uneven. An escaped
 * byte takes four. */
size_t cli_text_width(slice text)
{
    size_t width = 0;
    while (text.len > 0) {
        size_t len = slice_char_length(text);
        size_t take = len == 0 ? 1 : len;
        width += len == 0 || slice_is_control(slice_sub(text, 0, len)) ? take * 4 : 1;
        text = slice_sub(text, take, text.len);
    }
    return width;
}

/* Powers of 1000, as disks are sold and as file managers show; 999.5 would round up to four
 * digits. */
void cli_format_bytes(int64_t bytes, char *out, size_t size)
{
    static const char *const UNITS[] = { "B", "kB", "MB", "GB", "TB", "PB" };
    double value = (double) bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < ARRAY_LEN(UNITS)) {
        value /= 1000;
        unit++;
    }
    (void) snprintf(out, size, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
}
