/* How assets look on the terminal and in JSON. */
#ifndef CLI_ASSET_VIEW_H
#define CLI_ASSET_VIEW_H

#include <jansson.h>
#include <stdio.h>

#include "repo/assets.h"
#include "service/list.h"

/* One line per asset under a heading. */
void asset_print_table(FILE *out, const repo_asset *rows, size_t count);
/* Heading and line of the table. */
void asset_print_heading(FILE *out);
void asset_print_row(FILE *out, const repo_asset *row);
/* Everything that is known of one asset, a line per field. */
void asset_print(FILE *out, const repo_asset *asset);
/* New reference; NULL when memory is exhausted. Fields that are NULL in the row are JSON null. */
json_t *asset_json(const repo_asset *asset);

/* A page as a table or JSON: a list of assets, or (whole) an object with "assets", "next" and,
 * when it was asked for, "total". `nothing` is said for an empty one. */
void asset_page_print(const lum_asset_page *page, const char *nothing, bool whole);

#endif
