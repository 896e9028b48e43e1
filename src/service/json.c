/* Reading JSON from outside. jansson bounds the depth itself and refuses "\u0000" in texts. No
 * state; thread-safe. */
#include "base/prelude.h"

#include "service/json.h"

pgc_status json_read_object(const char *what, slice text, size_t max_bytes, json_t **out,
                            pgc_error *err)
{
    json_error_t at;
    if (text.len > max_bytes) {
        return pgc_error_set(err, PGC_INVALID, "%s: a document of %zu bytes; %zu are allowed", what,
                             text.len, max_bytes);
    }
    if (!slice_is_utf8(text)) {
        return pgc_error_set(err, PGC_INVALID, "%s: the document is not valid UTF-8", what);
    }
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &at);
    if (root == NULL && json_error_code(&at) == json_error_out_of_memory) {
        return pgc_error_set(err, PGC_NOMEM, "%s: read the document", what);
    }
    if (root == NULL) {
        return pgc_error_set(err, PGC_INVALID, "%s: line %d, column %d: %s", what, at.line,
                             at.column, at.text);
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return pgc_error_set(err, PGC_INVALID, "%s: the document must be an object: {\"name\": …}",
                             what);
    }
    *out = root;
    return PGC_OK;
}
