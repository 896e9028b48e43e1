/* Notifications, and what to do when some may have been missed. The listener keeps a session of its
 * own and connects again by itself; a gap says "look at the tables once".
 *
 *     cc listen.c $(pkg-config --cflags --libs pgc) -o listen */
#include <stdio.h>
#include <stdlib.h>

#include <pgc/pgc.h>

/* Returns when the last message of the other side was seen. */
static pgc_status receive(pgc_listener *listener, pgc_error *err)
{
    static pgc_event event; /* 8 KB: not for a small stack */
    for (;;) {
        pgc_status status = pgc_listener_next(listener, 10000000, &event, err);
        if (status != PGC_OK) {
            return status;
        }
        switch (event.kind) {
        case PGC_EVENT_GAP:
            printf("gap on %s: read the table\n", event.channel[0] == '\0' ? "all" : event.channel);
            break;
        case PGC_EVENT_LOST:
            printf("lost: nothing comes until the next gap\n");
            break;
        case PGC_EVENT_NOTIFY:
            printf("%s: %s\n", event.channel, event.payload);
            if (event.payload_len == 0) {
                return PGC_OK;
            }
            break;
        }
    }
}

static pgc_status notify(const char *url, pgc_error *err)
{
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    static const char *const WORDS[] = { "asset 7", "asset 8", "" };
    pgc_conn *conn = NULL;
    pgc_status status = pgc_conn_open(&options, &conn, err);
    for (size_t i = 0; i < 3 && status == PGC_OK; i++) {
        const pgc_text word = { WORDS[i], i < 2 ? 7 : 0 };
        status = pgc_notify(pgc_conn_db(conn), "imports", word, err);
    }
    pgc_conn_close(conn);
    return status;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : getenv("DATABASE_URL");
    const pgc_listener_options options = {
        .struct_size = sizeof options,
        .conn = { .struct_size = sizeof options.conn, .conninfo = url },
        .heartbeat_us = 5000000, /* a silent peer is asked; one that vanished is noticed */
    };
    pgc_error err;
    pgc_listener *listener = NULL;
    pgc_status status = pgc_listener_open(&options, &listener, &err);
    if (status == PGC_OK) {
        status = pgc_listener_listen(listener, "imports", 10000000, &err);
    }
    if (status == PGC_OK && (status = notify(url, &err)) == PGC_OK) {
        status = receive(listener, &err);
    }
    pgc_listener_close(listener);
    if (status != PGC_OK) {
        fprintf(stderr, "listen: %s\n", err.message);
        return 1;
    }
    return 0;
}
