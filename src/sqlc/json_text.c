/* From jansson's values to text in a buffer. Keys keep the order they were added in, so that the
 * same input gives the same bytes. Thread-safe: yes. */
#include "base/prelude.h"

#include "sqlc/json_text.h"

/* The buffer keeps its own failure; -1 stops jansson early. */
static int add_piece(const char *piece, size_t size, void *data)
{
    buf *out = data;
    buf_add(out, (slice) { piece, size });
    return out->failed ? -1 : 0;
}

/* jansson gives its code to some of its failed allocations, no words to others, and calls a token
 * that it has no memory for an invalid one. */
bool json_text_no_memory(const json_error_t *problem, bool ours)
{
    enum json_error_code code = json_error_code(problem);
    return code == json_error_out_of_memory || problem->text[0] == '\0' ||
           (ours && code == json_error_invalid_syntax);
}

/* Manifests are long and lie in repositories: one blank is enough to read them. */
pgc_status json_text_add(const json_t *root, buf *out, pgc_error *err)
{
    assert(out != NULL);
    if (root == NULL || json_dump_callback(root, add_piece, out, JSON_INDENT(1)) != 0) {
        return pgc_error_set(err, PGC_NOMEM, "write JSON");
    }
    buf_add_char(out, '\n');
    return buf_finish(out, err);
}
