/* Our directory and splitter code beside Atlas' own. */
#include "base/prelude.h"

#include "migrate/split.h"
#include "migrate/sum.h"

#include "peer.h"
#include "random.h"
#include "tap.h"

#define SPLIT_CASES 20000
#define SUM_CASES   150
#define PARTS_MAX   40

static peer atlas;

__attribute__((destructor)) static void remove_peer(void)
{
    peer_remove(&atlas);
}

/* What makes scanners go wrong. BEGIN is rare: Atlas takes exponential time over it. */
static const char *const PARTS[] = {
    ";",
    "'",
    "\"",
    "`",
    "(",
    ")",
    "$$",
    "$a$",
    "$\xC3\x9C",
    "$",
    "--",
    "\n",
    "\n\n",
    "/*",
    "*/",
    "-",
    "/",
    "END",
    "END;",
    "end ",
    "BEGIN ",
    "ATOMIC",
    "ATOMIC ",
    "begin\n",
    "SELECT ",
    "x",
    "y ",
    "E'\\''",
    "\\",
    "#",
    "\t",
    "\r\n",
    "\xC2\xA0",
    "\xE2\x80\x83",
    "\xFF",
    "\xC3",
    "//",
    "DELIMITER ",
    "delimiter //\n",
    "DELIMITER ;\n",
    "DELIMITER ''';'\n",
    "-- atlas:delimiter //\n",
    "-- atlas:delimiter \\n\\n\n",
    "-- atlas:nolint\n",
    "-- c\n",
    "1",
    "_",
    "BEGIN",
    "\v",
    "\xC2\x85",
    "\xE2\x80",
    "/**/",
};

static void make_input(uint64_t *state, buf *out)
{
    size_t count = random_below(state, PARTS_MAX);
    size_t begins = 0;
    for (size_t i = 0; i < count; i++) {
        const char *part = PARTS[random_below(state, ARRAY_LEN(PARTS))];
        begins += part[0] == 'B' || part[0] == 'b' ? 1 : 0;
        if (begins <= 6) {
            buf_add_str(out, part);
        }
    }
}

static void put_u32(buf *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        buf_add_char(out, (char) (value >> (8 * i)));
    }
}

static bool get_u32(slice *rest, uint32_t *out)
{
    if (rest->len < 4) {
        return false;
    }
    *out = 0;
    for (int i = 0; i < 4; i++) {
        *out |= (uint32_t) (unsigned char) rest->ptr[i] << (8 * i);
    }
    *rest = slice_sub(*rest, 4, rest->len);
    return true;
}

/* Atlas' answer to one input, beside ours; false when they differ. */
static bool same_answer(slice input, slice *answer)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_stmts stmts = { NULL, 0 };
    uint32_t count = 0;
    pgc_status status = migrate_split(input, mem, &stmts, NULL);
    bool same = get_u32(answer, &count);
    if (count == UINT32_MAX || count == UINT32_MAX - 1) { /* error, crash */
        return same && status == PGC_INVALID;
    }
    same = same && status == PGC_OK && stmts.count == count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = 0;
        uint32_t len = 0;
        if (!get_u32(answer, &position) || !get_u32(answer, &len) || answer->len < len) {
            return false;
        }
        slice text = slice_sub(*answer, 0, len);
        *answer = slice_sub(*answer, len, answer->len);
        same = same && slice_eq(stmts.items[i].text, text) && stmts.items[i].position == position;
    }
    return same;
}

static void print_escaped(slice text)
{
    printf("# differs: ");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        printf(c >= 0x20 && c < 0x7F ? "%c" : "\\x%02X", c);
    }
    printf("\n");
}

/* Write the frames of all inputs to an unnamed file. */
static int frames_file(slice frames)
{
    char path[] = "/tmp/lum-frames-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) {
        return -1;
    }
    (void) unlink(path);
    if (file_write_all(env_default(), fd, frames.ptr, frames.len, NULL) != PGC_OK ||
        lseek(fd, 0, SEEK_SET) != 0) {
        (void) close(fd);
        return -1;
    }
    return fd;
}

static void splits_alike(void)
{
    if (!peer_build(&atlas, "atlas")) {
        TAP_SKIP(atlas.why_not);
    }
    AUTO(buf_auto) buf frames;
    AUTO(buf_auto) buf output;
    AUTO(buf_auto) buf input;
    uint64_t state = 20260101;
    buf_init(&frames, NULL, PEER_OUTPUT_MAX);
    buf_init(&output, NULL, PEER_OUTPUT_MAX);
    buf_init(&input, NULL, 1 << 16);
    for (int i = 0; i < SPLIT_CASES; i++) {
        buf_reset(&input);
        make_input(&state, &input);
        put_u32(&frames, (uint32_t) input.len);
        buf_add(&frames, buf_view(&input));
    }
    REQUIRE(buf_finish(&frames, NULL) == PGC_OK);
    AUTO(fd_auto) int fd = frames_file(buf_view(&frames));
    REQUIRE(fd >= 0);
    REQUIRE(peer_run(&atlas, fd, &output, "split", NULL, NULL, NULL) == 0);
    slice questions = buf_view(&frames);
    slice answers = buf_view(&output);
    int different = 0;
    uint32_t len = 0;
    while (get_u32(&questions, &len)) {
        slice text = slice_sub(questions, 0, len);
        questions = slice_sub(questions, len, questions.len);
        if (!same_answer(text, &answers) && ++different <= 5) {
            print_escaped(text);
        }
    }
    CHECK_INT(different, 0);
    CHECK_INT(answers.len, 0);
}

static const char *const NAMES[] = { "1.sql",   "10_y.sql", "1_x.sql",  "2.sql",        "3_a_b.sql",
                                     "X.SQL",   "a.sql",    "B.sql",    "20260101.sql", ".7_h.sql",
                                     "note.md", "_x.sql",   "1.a_s.sql" };
static const char *const HEADS[] = { "",
                                     "-- atlas:sum ignore\n\n",
                                     "-- atlas:sum ignore \n",
                                     "atlas:sum ignore\n",
                                     "-- atlas:sum ignore\r\n",
                                     "\xEF\xBB\xBF-- atlas:sum ignore\n",
                                     "-- x atlas:sum ignore",
                                     "-- atlas:sum  ignore\n",
                                     "-- atlas:nolint atlas:sum ignore\n" };

static void write_file(const char *folder, const char *name, slice text)
{
    char path[256];
    (void) snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_INT(file_write_atomic(env_default(), AT_FDCWD, path, text, 0644, NULL), PGC_OK);
}

static void fill_folder(uint64_t *state, const char *folder)
{
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        AUTO(buf_auto) buf text;
        buf_init(&text, NULL, 1 << 16);
        if (random_below(state, 2) == 0) {
            buf_add_str(&text, HEADS[random_below(state, ARRAY_LEN(HEADS))]);
            make_input(state, &text);
            write_file(folder, NAMES[i], buf_view(&text));
        }
    }
}

/* Our words for what Atlas' program prints. */
static void our_verdict(const migrate_dir *dir, arena *mem, char *out, size_t size)
{
    migrate_sum_problem problem;
    pgc_error err;
    pgc_error_clear(&err);
    if (migrate_sum_validate(dir, mem, &problem, &err) == PGC_OK) {
        (void) snprintf(out, size, "ok");
    } else if (problem.line > 0) {
        (void) snprintf(out, size, "%zu %s %s", problem.line, problem.file,
                        migrate_sum_reason_text(problem.reason));
    } else {
        (void) snprintf(out, size, "%s", err.message);
    }
}

/* Change one byte of the sum file, drop a part of it, or add a file to the folder. */
static void damage(uint64_t *state, const char *folder, buf *sum)
{
    size_t at = sum->len > 0 ? random_below(state, sum->len) : 0;
    switch (random_below(state, 5)) {
    case 0:
        sum->ptr[at] = (char) ('a' + (int) random_below(state, 26));
        break;
    case 1:
        sum->len = at;
        break;
    case 2:
        buf_add_str(sum, "\n");
        break;
    case 3:
        write_file(folder, "1_new.sql", SLICE("SELECT 1;"));
        break;
    default:
        write_file(folder, "2.sql", SLICE("SELECT 2;"));
        break;
    }
    write_file(folder, MIGRATE_SUM_NAME, buf_view(sum));
}

static bool same_folder(uint64_t *state, const char *folder)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    AUTO(buf_auto) buf ours;
    AUTO(buf_auto) buf theirs;
    char verdict[512];
    migrate_dir dir;
    const migrate_source source = { folder, NULL, 0 };
    buf_init(&ours, NULL, 1 << 20);
    buf_init(&theirs, NULL, 1 << 20);
    fill_folder(state, folder);
    if (migrate_dir_load(env_default(), &source, mem, &dir, NULL) != PGC_OK ||
        migrate_sum_write(&dir, &ours, NULL) != PGC_OK ||
        peer_run(&atlas, 0, &theirs, "sum", folder, NULL, NULL) != 0 ||
        !slice_eq(buf_view(&ours), buf_view(&theirs))) {
        printf("# ours: %s\n# theirs: %s\n", ours.ptr, theirs.ptr != NULL ? theirs.ptr : "");
        return false;
    }
    damage(state, folder, &ours);
    if (migrate_dir_load(env_default(), &source, mem, &dir, NULL) != PGC_OK ||
        peer_run(&atlas, 0, &theirs, "validate", folder, NULL, NULL) != 0) {
        return false;
    }
    our_verdict(&dir, mem, verdict, sizeof verdict);
    if (!slice_eq_str(buf_view(&theirs), verdict)) {
        printf("# ours: %s\n# theirs: %s\n", verdict, theirs.ptr);
        return false;
    }
    return true;
}

static void sums_alike(void)
{
    if (!peer_build(&atlas, "atlas")) {
        TAP_SKIP(atlas.why_not);
    }
    uint64_t state = 20260202;
    int different = 0;
    for (int i = 0; i < SUM_CASES; i++) {
        char folder[] = "/tmp/lum-sums-XXXXXX";
        REQUIRE(mkdtemp(folder) != NULL);
        different += same_folder(&state, folder) ? 0 : 1;
        CHECK_INT(file_remove_tree(env_default(), AT_FDCWD, folder, NULL), PGC_OK);
    }
    CHECK_INT(different, 0);
}

TAP_MAIN(TAP("atlas: 20,000 random texts are cut alike", splits_alike),
         TAP("atlas: random directories are summed and judged alike", sums_alike))
