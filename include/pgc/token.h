#ifndef PGC_TOKEN_H
#define PGC_TOKEN_H

#include <pgc/error.h>

PGC_BEGIN_DECLS

/**
 * A position in the write-ahead log: "what was committed up to here". A replica that has replayed
 * it shows the write. All zero means "no demand". A value: copy it freely, send it as text.
 */
typedef struct pgc_token {
    uint64_t lsn;      /**< bytes of log written before it */
    uint32_t timeline; /**< branch of the log; 0 only in the empty token */
    uint32_t reserved; /**< zero */
} pgc_token;

#define PGC_TOKEN_TEXT_SIZE 32u /**< room for any token as text, NUL included */

/**
 * A token as text of letters, digits, '-' and '/' only, e.g. for a cookie or header; "" for none.
 *
 * @param text at least PGC_TOKEN_TEXT_SIZE bytes.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API void pgc_token_text(pgc_token token, char *text);

/**
 * Back from text; "" gives the empty token.
 *
 * @param out untouched on failure.
 * @return PGC_OK; PGC_INVALID.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_token_parse(const char *text, pgc_token *out, pgc_error *err) PGC_MUST_CHECK;

/** The later one of two: what has replayed it has replayed both. */
PGC_API pgc_token pgc_token_max(pgc_token a, pgc_token b);

PGC_END_DECLS

#endif
