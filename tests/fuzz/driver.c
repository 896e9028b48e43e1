/* Runs a fuzz target without libFuzzer: the files given as arguments, or a fixed number of inputs
 * made by a seeded generator (FUZZ_RUNS sets another number, FUZZ_SEED another start). The inputs
 * are the same on every run, so a failure can be repeated. With FUZZ_SEEDS=DIR the seeds are only
 * written there, one file each: a corpus for libFuzzer to start from. */
#include "base/prelude.h"

#include "fuzz.h"
#include "random.h"

#define INPUT_MAX    4096
#define RUNS_DEFAULT 20000

static uint64_t env_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* The input in a block of its exact size, so that sanitizers see one byte too far. */
static bool run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, data, size);
    int result = LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return result == 0;
}

static bool run_file(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return false;
    }
    size_t size = fread(data, 1, sizeof data, file);
    bool read = ferror(file) == 0;
    (void) fclose(file);
    return read && run(data, size);
}

/* One small change: flip, set, insert, remove, cut or overwrite with an interesting number. */
static size_t mutate(uint64_t *state, uint8_t *data, size_t size)
{
    static const uint8_t numbers[] = { 0x00, 0x01, 0x7F, 0x80, 0xFF, 0xFE, 0x10, 0x04 };
    size_t at = size == 0 ? 0 : random_below(state, size);
    switch (random_below(state, 6)) {
    case 0:
        data[at] = (uint8_t) (data[at] ^ 1u << random_below(state, 8));
        return size == 0 ? 1 : size;
    case 1:
        data[at] = (uint8_t) random_u64(state);
        return size == 0 ? 1 : size;
    case 2:
        if (size < INPUT_MAX) {
            memmove(data + at + 1, data + at, size - at);
            data[at] = numbers[random_below(state, ARRAY_LEN(numbers))];
            size++;
        }
        return size;
    case 3:
        if (size > 0) {
            memmove(data + at, data + at + 1, size - at - 1);
            size--;
        }
        return size;
    case 4:
        return at;
    default:
        for (size_t i = at; i < size && i < at + 4; i++) {
            data[i] = numbers[random_below(state, ARRAY_LEN(numbers))];
        }
        return size;
    }
}

static bool run_generated(void)
{
    static uint8_t data[INPUT_MAX + 1];
    uint64_t state = env_number("FUZZ_SEED", 1);
    uint64_t runs = env_number("FUZZ_RUNS", RUNS_DEFAULT);
    size_t seeds = 0;
    while (fuzz_seed(seeds, data, INPUT_MAX) > 0) {
        if (!run(data, fuzz_seed(seeds, data, INPUT_MAX))) {
            return false;
        }
        seeds++;
    }
    for (uint64_t i = 0; i < runs; i++) {
        size_t size = seeds == 0 ? 0 : fuzz_seed(random_below(&state, seeds), data, INPUT_MAX);
        for (size_t changes = random_below(&state, 6) + 1; changes > 0; changes--) {
            size = mutate(&state, data, size);
        }
        if (!run(data, size)) {
            return false;
        }
    }
    return true;
}

static bool write_seeds(const char *dir)
{
    static uint8_t data[INPUT_MAX];
    size_t size = 0;
    bool ok = true;
    for (size_t i = 0; ok && (size = fuzz_seed(i, data, sizeof data)) > 0; i++) {
        char path[4096];
        (void) snprintf(path, sizeof path, "%s/seed-%zu", dir, i);
        FILE *file = fopen(path, "wbe");
        ok = file != NULL && fwrite(data, 1, size, file) == size;
        ok = (file == NULL || fclose(file) == 0) && ok;
    }
    return ok;
}

int main(int argc, char **argv)
{
    const char *seeds = getenv("FUZZ_SEEDS");
    if (seeds != NULL) {
        return write_seeds(seeds) ? 0 : 1;
    }
    bool ok = argc > 1 || run_generated();
    for (int i = 1; i < argc; i++) {
        ok = run_file(argv[i]) && ok;
    }
    printf("1..1\n%sok 1 - %s\n", ok ? "" : "not ",
           argc > 1 ? "files are taken without a fault"
                    : "mutated seeds are taken without a fault");
    return ok ? 0 : 1;
}
