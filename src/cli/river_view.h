/* Jobs and queues of the job queue on stdout, in the form that the common options ask for. */
#ifndef CLI_RIVER_VIEW_H
#define CLI_RIVER_VIEW_H

#include <jansson.h>

#include <river/river.h>

/* Print a document as one line, and free it. */
void river_view_json(json_t *document);
/* All that is known of a job; for json_decref(). */
json_t *river_view_job_json(const river_job *job);
/* One job whole, and one as a line of a list for people. */
void river_view_job(const river_job *job);
void river_view_row(const river_job *job);
void river_view_queues(const river_queues *queues);

#endif
