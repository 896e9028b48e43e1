/* One option for each member of a filter: lists and searches take the same ones. */
#ifndef CLI_FILTER_OPTIONS_H
#define CLI_FILTER_OPTIONS_H

#include "cli/cli.h"
#include "service/filter.h"

#define CLI_FILTERS_MAX 40

/* What was given, by the order of LUM_FILTER_FIELDS; NULL: not given. */
typedef struct cli_filter {
    const char *texts[CLI_FILTERS_MAX];
    char names[CLI_FILTERS_MAX][24]; /* of the options */
} cli_filter;

/* Adds the options behind the `count` that are there; the new count. `options` has room for
 * CLI_FILTERS_MAX more and does not outlive the filter. */
size_t cli_filter_options(cli_filter *filter, cli_option *options, size_t count);
/* What was given as a filter; PGC_INVALID tells what is wrong by the option's name. */
pgc_status cli_filter_read(const cli_filter *filter, lum_filter_doc **out, pgc_error *err)
    PGC_MUST_CHECK;
bool cli_filter_is_given(const cli_filter *filter);

#endif
