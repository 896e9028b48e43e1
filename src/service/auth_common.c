/* Usual passwords by what they are made of rather than as a list: a few hundred words and rows of
 * keys, combined as people combine them, are more than a hundred thousand of the passwords that
 * lists of stolen ones begin with. Only ASCII is looked at. No state; thread-safe. */
#include "base/prelude.h"

#include "service/auth_common.h"

#define PASSWORD_MAX 72
#define WALK_MIN     3  /* keys that make a row */
#define PIECES_MAX   2  /* words and rows; three are a phrase */
#define LOOSE_MAX    6  /* digits and signs that belong to neither: a year and a mark */
#define DIGITS_MIN   10 /* of a password of digits alone; less are dates */
#define CHUNK_MAX    4  /* letters of a piece that comes again and again */
#define NAME_MIN     3

/* Each text is of one kind: words with blanks between. */
static const char *const WORDS[] = {
    /* what it is for */
    "access account admin administrator backup changeme computer default enter google guest"
    " internet letmein linux login lumilio master mypass network opensesame pass passphrase"
    " passw password photo photos postgres private root samsung secret security server"
    " service system temp test testing trustno1 user welcome windows",
    /* what is loved or liked */
    "angel babygirl banana beautiful blessed blink182 buster butterfly cheese chocolate"
    " coffee cookie crystal diamond dragon family flower forever freedom friend friends"
    " ginger gold hello honey iloveyou iloveu jesus killer kitten lovely loveme lover lucky"
    " magic monkey mustang orange pepper please princess prince purple rainbow shadow silver"
    " snoopy something sparky sunshine sweet thunder tigger tinkerbell whatever yellow love"
    " baby money",
    /* games, sports, films */
    "arsenal barcelona baseball basketball batman chelsea corvette cowboys ferrari fifa"
    " football fuckyou gandalf hockey hunter jaguar juventus lakers liverpool madrid matrix"
    " mercedes minecraft naruto ninja pokemon porsche ranger runescape soccer spiderman"
    " starwars startrek superman tennis warcraft yankees yamaha",
    /* names */
    "alexander amanda andrea andrew anthony ashley austin charlie chris claudia daniel david"
    " george hannah harley heather jasmine jennifer jessica jordan joseph joshua justin"
    " maggie martin matthew melissa michael michelle nicole oliver patrick rachel richard"
    " robert samantha sophie stefan steven thomas victoria william",
    /* times and places */
    "april august autumn december february friday january july june london march monday"
    " november october paris saturday september spring summer sunday winter",
    /* other languages */
    "azertyuiop azerty bonjour doudou fussball geheim hallo hola loulou marseille motdepasse"
    " passwort qwertz qwertzuiop schalke schatz soleil tequiero wachtwoord contrasena",
};

/* Keys beside and below each other, and the alphabet; walked either way. */
static const char *const ROWS[] = {
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1234567890",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "abcdefghijklmnopqrstuvwxyz",
    "a1b2c3d4e5f6g7h8",
    "147258369",
    "zaq12wsxcde34rfv",
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* "p4ssw0rd": what people write for a letter. */
static bool stands_for(char c, char letter)
{
    static const char PAIRS[] = "0o1i1l3e4a5s7t8b@a$s!i+t";
    for (size_t i = 0; PAIRS[i] != '\0'; i += 2) {
        if (c == PAIRS[i] && letter == PAIRS[i + 1]) {
            return true;
        }
    }
    return lower(c) == lower(letter);
}

/* Bytes of the word at the beginning of a text; 0 when it is another. */
static size_t word_length(slice text, slice word)
{
    if (word.len > text.len) {
        return 0;
    }
    for (size_t i = 0; i < word.len; i++) {
        if (!stands_for(text.ptr[i], word.ptr[i])) {
            return 0;
        }
    }
    return word.len;
}

static size_t longest_word(slice text, slice username)
{
    size_t longest = username.len >= NAME_MIN ? word_length(text, username) : 0;
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
        for (slice rest = pgc_text_from(WORDS[i]); rest.ptr != NULL;) {
            size_t length = word_length(text, slice_next(&rest, ' '));
            longest = length > longest ? length : longest;
        }
    }
    return longest;
}

/* Keys of one row from a place on, in a direction. */
static size_t walk_length(slice text, const char *row, size_t from, bool forward)
{
    size_t length = strlen(row);
    size_t steps = 0;
    assert(from < length);
    while (steps < text.len && (forward ? from + steps < length : steps <= from) &&
           lower(text.ptr[steps]) == row[forward ? from + steps : from - steps]) {
        steps++;
    }
    return steps;
}

static size_t longest_walk(slice text)
{
    size_t longest = 0;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        for (size_t from = 0; ROWS[i][from] != '\0'; from++) {
            size_t there = walk_length(text, ROWS[i], from, true);
            size_t back = walk_length(text, ROWS[i], from, false);
            there = there > back ? there : back;
            longest = there > longest ? there : longest;
        }
    }
    return longest >= WALK_MIN ? longest : 0;
}

/* "abcabcabc", "11111111", "20202020" */
static bool is_repetition(slice text)
{
    for (size_t chunk = 1; chunk <= CHUNK_MAX && 2 * chunk <= text.len; chunk++) {
        size_t same = chunk;
        while (same < text.len && text.ptr[same] == text.ptr[same - chunk]) {
            same++;
        }
        if (same == text.len) {
            return true;
        }
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char) c >= 0x80;
}

static bool is_date_like(slice text)
{
    bool digits = text.len < DIGITS_MIN;
    for (size_t i = 0; i < text.len; i++) {
        digits = digits && isdigit((unsigned char) text.ptr[i]);
    }
    return digits;
}

bool password_is_common(slice password, slice username)
{
    size_t pieces = 0;
    size_t loose = 0;
    assert(password.len <= PASSWORD_MAX);
    if (is_repetition(password)) {
        return true;
    }
    for (size_t at = 0; at < password.len;) {
        slice rest = slice_sub(password, at, password.len);
        size_t word = longest_word(rest, username);
        size_t walk = longest_walk(rest);
        size_t length = word > walk ? word : walk;
        if (length > 0) {
            pieces++;
            at += length;
            continue;
        }
        if (is_letter(rest.ptr[0]) || rest.ptr[0] == ' ') {
            return false;
        }
        loose++;
        at++;
    }
    return pieces > 0 ? pieces <= PIECES_MAX && loose <= LOOSE_MAX : is_date_like(password);
}
