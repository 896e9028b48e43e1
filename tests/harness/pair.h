/* Two servers of one database system for the tests: "a" and "b", at first a primary and a standby
 * that streams from it. On UNIX sockets in a folder of their own; nothing is left behind.
 *
 *     pair p;
 *     if (pair_open(&p)) { ... pair_conninfo(&p, PAIR_B) ... pair_promote(&p, PAIR_B) ... }
 *     pair_close(&p);
 *
 * Functions print a diagnostic line when they fail. One thread at a time. */
#ifndef TEST_PAIR_H
#define TEST_PAIR_H

#include <stdbool.h>

#include "tmpdir.h"

enum { PAIR_A, PAIR_B };

typedef struct pair {
    tmpdir dir;
    char bin[64];
    const char *user; /* who runs the servers; NULL: we */
    char conninfo[2][160];
    bool running[2];
} pair;

/* Make both, a week's settings for tests, and start them: some seconds. */
bool pair_open(pair *p);
/* Stop what runs and remove all. */
void pair_close(pair *p);
/* Superuser, database "postgres". */
const char *pair_conninfo(const pair *p, int which);
bool pair_start(pair *p, int which);
/* crash: without a word to anybody and without a checkpoint. */
bool pair_stop(pair *p, int which, bool crash);
/* Kill the server with all its processes at once, as if its machine had died. */
bool pair_kill(pair *p, int which);
/* Make the standby a primary and wait for it. */
bool pair_promote(pair *p, int which);
/* Make the stopped server a standby of the other one, dropping what only it has. */
bool pair_follow(pair *p, int which);

#endif
