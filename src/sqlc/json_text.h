/* JSON documents as the text of a report or a file. */
#ifndef SQLC_JSON_TEXT_H
#define SQLC_JSON_TEXT_H

#include <jansson.h>

#include "base/buf.h"

/* Append the document, one blank per level, and a line break. root NULL, as jansson leaves it when
 * memory runs out, is PGC_NOMEM. */
pgc_status json_text_add(const json_t *root, buf *out, pgc_error *err) PGC_MUST_CHECK;

/* Why a text was not read: for want of memory, not by a mistake in it. ours: a program wrote the
 * text, which makes no mistakes of syntax; without it, a failed allocation may look like one. */
bool json_text_no_memory(const json_error_t *problem, bool ours);

#endif
