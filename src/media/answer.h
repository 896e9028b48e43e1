/* From what the helper says about a child to a status of ours. */
#ifndef MEDIA_ANSWER_H
#define MEDIA_ANSWER_H

#include <lumilio/status.h>

#include "media/wire.h"

/* Every byte of the answer is untrusted. On PGC_OK *out is filled and in range; otherwise the
 * statuses of media_host_probe(). */
pgc_status media_answer_check(const wire_answer *answer, const media_limits *limits,
                              media_report *out, pgc_error *err) PGC_MUST_CHECK;

#endif
