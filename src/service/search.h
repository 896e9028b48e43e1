/* Search: assets by file name, by what is written about them, by what they show, or all of it.
 * Every way finds all rows that match, whatever the filter; only similarity lists have an end
 * (depth). */
#ifndef SERVICE_SEARCH_H
#define SERVICE_SEARCH_H

#include "ml/embedder.h"
#include "repo/search.h"
#include "service/filter.h"
#include "service/session.h"

#define LUM_QUERY_MAX          1000  /* bytes of a text to search for */
#define LUM_SEARCH_DEPTH       200   /* hits of each channel that are fused; at most 5 times that */
#define LUM_SEARCH_EXACT       20000 /* rows up to which all distances are computed */
#define LUM_SEARCH_CURSOR_SIZE 96

typedef enum lum_search_by {
    LUM_SEARCH_ALL,
    LUM_SEARCH_NAME,   /* file names: whole, by words, by any part of three characters */
    LUM_SEARCH_TEXT,   /* name, description, tags, albums, camera; "phrases", or, -without */
    LUM_SEARCH_MEANING /* nearest vectors of the active model */
} lum_search_by;

typedef struct lum_search_request {
    const char *query;          /* NULL only with like_asset_id or vector */
    pgc_opt_uuid like_asset_id; /* look like this one: by meaning alone; query is not used */
    const float *vector;        /* of the query; LUM_EMBEDDING_DIM numbers; NULL: none */
    ml_embedder *embedder;      /* asked for the vector when there is none; NULL: nobody is */
    lum_search_by by;
    const lum_filter *filter; /* as for lists; NULL: none */
    int32_t limit;            /* 1..LUM_PAGE_MAX */
    const char *after;        /* lum_search_page.next of the page before; NULL: the first page */
    int32_t exact_most;       /* 0: LUM_SEARCH_EXACT; for tests and measurements */
} lum_search_request;

typedef struct lum_search_page {
    repo_search_hits_row_set hits;     /* best first, with rank and score of each channel */
    char next[LUM_SEARCH_CURSOR_SIZE]; /* "": this was the last page */
    char without_meaning[512]; /* why meaning did not take part although it was asked for; "" */
} lum_search_page;

/* One statement, one round trip. An empty page is PGC_OK. PGC_INVALID: text empty, too long or not
 * UTF-8, filter, limit, a vector without direction, a cursor of another search; PGC_NOT_FOUND:
 * like_asset_id is no asset of the actor with a vector of the active model. By all, an embedder
 * that does not answer means names and texts, and the page says so; by meaning its error is the
 * result. By meaning with neither vector nor embedder is PGC_INVALID. Blocks for the embedder as
 * ml_embed() does. */
pgc_status lum_search(lum_actor actor, const lum_search_request *request, lum_search_page *out,
                      pgc_error *err) PGC_MUST_CHECK;
void lum_search_page_free(lum_search_page *page);

/* "name", "text", "meaning", "all"; PGC_INVALID lists them. */
pgc_status lum_search_by_parse(const char *text, lum_search_by *out, pgc_error *err) PGC_MUST_CHECK;

#endif
