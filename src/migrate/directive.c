/* Reads directives where Atlas reads them, and nowhere else: the rules of the header are strict,
 * and a directive one line too low is silently without effect. Pure functions; any thread. */
#include "base/prelude.h"

#include "migrate/directive.h"

#include "migrate/text.h"

#define MARK SLICE("atlas:")

/* Length of the run of printable ASCII at the start. */
static size_t printable_run(slice text)
{
    size_t n = 0;
    while (n < text.len && text.ptr[n] >= 0x20 && text.ptr[n] <= 0x7E) {
        n++;
    }
    return n;
}

/* One line: prefix, "atlas:", name, argument. The argument ends at the first byte that is not
 * printable ASCII, and so does the line. */
bool migrate_directive_parse(slice text, migrate_directive *out)
{
    slice line = slice_sub(text, 0, printable_run(text));
    /* The prefix is greedy: the last mark that a name follows wins. */
    for (size_t at = line.len; at-- > 0;) {
        slice tail = slice_sub(line, at, line.len);
        if (!slice_starts(tail, MARK) || tail.len == MARK.len ||
            !migrate_is_word(tail.ptr[MARK.len])) {
            continue;
        }
        size_t end = MARK.len;
        while (end < tail.len && migrate_is_word(tail.ptr[end])) {
            end++;
        }
        size_t arg = end;
        while (arg < tail.len && tail.ptr[arg] == ' ') {
            arg++;
        }
        out->prefix = slice_sub(line, 0, at);
        out->name = slice_sub(tail, MARK.len, end);
        out->argument = arg > end ? slice_sub(tail, arg, tail.len) : SLICE("");
        return true;
    }
    return false;
}

/* "#" is no comment to the server, but the format counts it as one in headers. */
static bool is_comment_line(slice text)
{
    return slice_starts(text, SLICE("#")) || slice_starts(text, SLICE("--"));
}

/* Find the header: comment lines from byte 0 on. It counts only when a blank line, or the end of
 * the file, follows; CR does not make a line blank. Otherwise it belongs to the first statement. */
void migrate_header_init(migrate_header *header, slice content)
{
    size_t end = 0;
    while (is_comment_line(slice_sub(content, end, content.len))) {
        size_t line_end = slice_find(content, '\n', end);
        if (line_end == SIZE_MAX) {
            break; /* a last line without end belongs to no header */
        }
        end = line_end + 1;
    }
    slice rest = slice_sub(content, end, content.len);
    size_t blank = 0;
    while (blank < rest.len && (rest.ptr[blank] == ' ' || rest.ptr[blank] == '\t')) {
        blank++;
    }
    bool apart = rest.len == 0 || (blank < rest.len && rest.ptr[blank] == '\n');
    header->rest = apart ? slice_sub(content, 0, end) : SLICE("");
}

/* Lines that are plain comments are passed over. */
bool migrate_header_next(migrate_header *header, migrate_directive *out)
{
    while (header->rest.len > 0) {
        size_t end = slice_find(header->rest, '\n', 0);
        assert(end != SIZE_MAX);
        slice line = migrate_trim(slice_sub(header->rest, 0, end));
        header->rest = slice_sub(header->rest, end + 1, header->rest.len);
        if (migrate_directive_parse(line, out)) {
            return true;
        }
    }
    return false;
}

/* Repeats are counted, because some directives may stand only once. */
size_t migrate_header_find(slice content, slice name, slice *first)
{
    migrate_header header;
    migrate_directive directive;
    size_t count = 0;
    migrate_header_init(&header, content);
    while (migrate_header_next(&header, &directive)) {
        if (slice_eq(directive.name, name)) {
            if (count++ == 0 && first != NULL) {
                *first = directive.argument;
            }
        }
    }
    return count;
}

/* Looked for at the very start of the file with any prefix, unlike the directives of the header. */
bool migrate_directive_sum_ignored(slice content)
{
    migrate_directive directive;
    return migrate_directive_parse(content, &directive) && slice_eq(directive.name, SLICE("sum")) &&
           slice_eq(directive.argument, SLICE("ignore"));
}

/* Only lines that look meant: a comment mark, the directive, nothing before it. The walk stops at
 * the first such line. */
size_t migrate_directive_lost(slice content, slice name)
{
    if (migrate_header_find(content, name, NULL) > 0) {
        return 0;
    }
    size_t number = 0;
    for (slice rest = content; rest.ptr != NULL;) {
        slice line = migrate_trim(slice_next(&rest, '\n'));
        migrate_directive directive;
        number++;
        if (is_comment_line(line) && migrate_directive_parse(line, &directive) &&
            slice_eq(directive.name, name)) {
            slice before = migrate_trim(directive.prefix);
            if (slice_eq(before, SLICE("--")) || slice_eq(before, SLICE("#"))) {
                return number;
            }
        }
    }
    return 0;
}
