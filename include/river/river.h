#ifndef RIVER_RIVER_H
#define RIVER_RIVER_H

/*
 * All of libriver by one include. docs/river/README.md is the way in; each header can also be
 * included alone.
 */
#include <river/client.h>
#include <river/event.h>
#include <river/ext.h>
#include <river/insert.h>
#include <river/job.h>
#include <river/manage.h>
#include <river/worker.h>

#endif
