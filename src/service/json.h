/* JSON documents that people send: bounded, strict, with messages that say where. */
#ifndef SERVICE_JSON_H
#define SERVICE_JSON_H

#include <jansson.h>

#include "base/json_auto.h"
#include "base/slice.h"
#include <pgc/error.h>

/* One object and nothing behind it. PGC_INVALID for text that is longer than max_bytes or not valid
 * UTF-8, for names that come twice, for "\u0000" and for all that is no JSON: the message says the
 * line. `what` is what the document is, for messages. For json_decref(), or AUTO(json_auto). */
pgc_status json_read_object(const char *what, slice text, size_t max_bytes, json_t **out,
                            pgc_error *err) PGC_MUST_CHECK;

/* Of a string. */
static inline slice json_text(const json_t *string)
{
    return (slice) { json_string_value(string), json_string_length(string) };
}

#endif
