/* Our analysis of queries beside that of the released sqlc, field by field. */
#include "base/prelude.h"

#include "sqlc_peer.h"
#include "tap.h"

static void peer_is_the_release(void)
{
    NEED_SQLC();
    AUTO(buf_auto) buf output;
    buf_init(&output, NULL, PEER_OUTPUT_MAX);
    REQUIRE(sqlc_run("/", "version", &output) == 0);
    CHECK_STR(output.ptr, "v1.31.1\n");
}

TAP_MAIN(TAP("sqlc diff: the peer is the release that we compare with", peer_is_the_release))
