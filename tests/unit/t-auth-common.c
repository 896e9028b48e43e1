/* Which passwords are tried first. */
#include "base/prelude.h"

#include "random.h"
#include "service/auth_common.h"
#include "tap.h"

static const slice NOBODY = { "somebody", 8 };

static void check_common(const char *password, bool want)
{
    if (!CHECK(password_is_common(pgc_text_from(password), NOBODY) == want)) {
        (void) printf("#   \"%s\"\n", password);
    }
}

/* The kinds that lists of stolen passwords begin with, of eight characters and more. */
static void what_everybody_takes_is_refused(void)
{
    static const char *const COMMON[] = {
        "123456789",   "12345678",   "password",     "1234567890", "qwerty123",    "11111111",
        "123123123",   "00000000",   "iloveyou",     "1q2w3e4r",   "qwertyuiop",   "1qaz2wsx",
        "password1",   "987654321",  "88888888",     "princess",   "sunshine",     "football",
        "baseball",    "superman",   "trustno1",     "starwars",   "whatever",     "letmein1",
        "welcome1",    "abcd1234",   "abc12345",     "87654321",   "dragon123",    "monkey123",
        "password123", "changeme",   "lumilio1",     "P@ssw0rd",   "Passw0rd!",    "passw0rd123",
        "Summer2024!", "Winter2023", "admin123",     "Admin@123",  "qwerty12345",  "q1w2e3r4t5",
        "1q2w3e4r5t",  "zaq12wsx",   "qazwsxedc",    "asdfghjkl",  "asdf1234",     "zxcvbnm123",
        "a1b2c3d4",    "147258369",  "iloveyou2",    "michael1",   "jordan23",     "charlie1",
        "liverpool1",  "pokemon123", "minecraft1",   "computer1",  "internet1",    "hello123",
        "test1234",    "testtest",   "passpass",     "abcabcabc",  "12121212",     "1234qwer",
        "qwer1234",    "asdfasdf",   "azertyuiop",   "qwertz123",  "passwort1",    "motdepasse",
        "schatz123",   "ficken",     "hallo1234",    "blink182",   "19871224",     "01012000",
        "147258369",   "5tgb6yhn",   "lumilioadmin", "photos2024", "adminadmin",   "rootroot",
        "letmein123!", "s0mebody",   "somebody1987", "S0meb0dy!",  "monkeydragon", "1L0vey0u!",
    };
    for (size_t i = 0; i < ARRAY_LEN(COMMON); i++) {
        check_common(COMMON[i], strcmp(COMMON[i], "ficken") != 0); /* too short anyway */
    }
}

static void what_nobody_guesses_is_taken(void)
{
    static const char *const GOOD[] = {
        "correct horse battery staple",
        "nine lives at least",
        "a cat sat on my mat",
        "hello my dear friend",
        "tr0ubad0r&3x",
        "xK4#mQ9!vL2p",
        "quietly-marble-otter",
        "48151623421234",
        "Grundgesetz",
        "kaffeetasse7umfallen",
        "\xc3\xa4pfel und birnen",
        "zephyr-quartz",
        "my password is long",
        "summerwinterspringautumn",
        "e4f1b0c29d",
    };
    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
        check_common(GOOD[i], false);
    }
}

/* People who must change a password change the digits behind it. */
static void digits_and_signs_change_nothing(void)
{
    static const char *const WORDS[] = { "password", "Sunshine", "QWERTY", "dr4g0n", "somebody" };
    static const char SIGNS[] = "!?.#*";
    size_t refused = 0;
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
        for (int year = 0; year < 1000; year++) {
            char text[64];
            (void) snprintf(text, sizeof text, "%s%d%c", WORDS[i], 1950 + year,
                            SIGNS[year % (int) strlen(SIGNS)]);
            refused += password_is_common(pgc_text_from(text), NOBODY) ? 1 : 0;
        }
    }
    CHECK_INT(refused, 5000);
}

/* What a generator makes is hardly ever refused. */
static void random_ones_are_taken(void)
{
    static const char SIGNS[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_";
    uint64_t state = UINT64_C(0x70617373);
    size_t refused = 0;
    for (size_t i = 0; i < 100000; i++) {
        char text[12];
        for (size_t j = 0; j < sizeof text; j++) {
            text[j] = SIGNS[random_below(&state, sizeof SIGNS - 1)];
        }
        refused += password_is_common((slice) { text, sizeof text }, NOBODY) ? 1 : 0;
    }
    CHECK_INT(refused, 0);
}

static void any_bytes_are_looked_at_within_bounds(void)
{
    uint64_t state = UINT64_C(0x6279746573);
    char text[72];
    for (size_t i = 0; i < 20000; i++) {
        size_t length = 1 + random_below(&state, sizeof text);
        for (size_t j = 0; j < length; j++) {
            text[j] = (char) (1 + random_below(&state, 255));
        }
        (void) password_is_common((slice) { text, length }, (slice) { NULL, 0 });
    }
    memset(text, 'z', sizeof text);
    CHECK(password_is_common((slice) { text, sizeof text }, (slice) { NULL, 0 }));
    CHECK(!password_is_common(SLICE("anna wohnt hier"), SLICE("anna")));
    CHECK(password_is_common(SLICE("anna1234"), SLICE("anna")));
    CHECK(password_is_common(SLICE("ANNA-2024"), SLICE("anna")));
    CHECK(!password_is_common(SLICE("anna1234"), SLICE("bert")));
}

TAP_MAIN(TAP("common: what everybody takes is refused", what_everybody_takes_is_refused),
         TAP("common: what nobody guesses is taken", what_nobody_guesses_is_taken),
         TAP("common: digits and signs behind a word change nothing",
             digits_and_signs_change_nothing),
         TAP("common: random ones are taken", random_ones_are_taken),
         TAP("common: any bytes are looked at within bounds",
             any_bytes_are_looked_at_within_bounds))
