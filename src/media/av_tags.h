/* What the tags of a video or recording say, as facts. Pure: tested without libav. */
#ifndef MEDIA_AV_TAGS_H
#define MEDIA_AV_TAGS_H

#include "media/facts.h"

/* One tag of the container. Unknown names and values that do not parse are passed over; earlier
 * answers of a better source are kept. */
void av_tag_read(media_facts *facts, const char *name, const char *value);

#endif
