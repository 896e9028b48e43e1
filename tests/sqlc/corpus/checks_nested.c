/* Values inside values: composites, and arrays and ranges that only this database has. */
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "nested.h"
#include "overrides.h"

static bool same(pgc_text text, const char *want)
{
    return text.ptr != NULL && text.len == strlen(want) && memcmp(text.ptr, want, text.len) == 0;
}

static void composites(const corpus_nested *n)
{
    EXPECT(n->n_pair.has && n->n_pair.v.x.has && n->n_pair.v.x.v == 7);
    EXPECT(n->n_pair.v.y.ptr == NULL);
    EXPECT(n->n_place.has && same(n->n_place.v.name, "home") && n->n_place.v.at.has);
    EXPECT(n->n_place.v.kind.has && n->n_place.v.kind.v == CORPUS_KIND_VIDEO);
    EXPECT(n->n_place.v.stars.has && n->n_place.v.stars.v == 3);
    EXPECT(n->n_place.v.tags.count == 2 && n->n_place.v.tags.nulls != NULL);
    EXPECT(n->n_place.v.was.has && same(n->n_place.v.was.v.y, "eight"));
    EXPECT(n->n_stop.has && same(n->n_stop.v.name, "stop") && !n->n_stop.v.was.has);
    EXPECT(n->n_trip.has && n->n_trip.v.stops.has && n->n_trip.v.stops.count == 2);
    EXPECT(n->n_trip.v.stops.nulls != NULL && n->n_trip.v.stops.nulls[1] == 1);
    EXPECT(same(n->n_trip.v.stops.v[0].name, "a") && !n->n_trip.v.stops.v[0].at.has);
    EXPECT(n->n_trip.v.kinds.count == 3 && n->n_trip.v.kinds.v[2] == CORPUS_KIND_VIDEO);
    EXPECT(n->n_price.has && n->n_price.v.amount.present && same(n->n_price.v.currency, "EUR"));
    EXPECT(n->n_person.has && same(n->n_person.v.name, "Ann") && !n->n_person.v.boss.has);
    EXPECT(n->one.x.has && n->one.x.v == 2 && same(n->one.y, "two"));
}

static void ranges(const corpus_nested *n)
{
    EXPECT(n->n_f8r.has && n->n_f8r.lower > 1.4 && n->n_f8r.upper < 2.6);
    EXPECT(n->n_f8m.has && n->n_f8m.count == 2);
    EXPECT(n->n_dayr.has && n->n_dayr.upper.us == 12 * INT64_C(3600000000));
    EXPECT(n->n_textr.has && same(n->n_textr.lower, "a") && same(n->n_textr.upper, "m"));
    EXPECT(n->n_textr.flags == PGC_RANGE_HALF_OPEN);
    EXPECT(n->n_textm.count == 2 && (n->n_textm.v[1].flags & PGC_RANGE_UPPER_INF) != 0);
    EXPECT(n->n_kindr.has && n->n_kindr.lower == CORPUS_KIND_PHOTO);
    EXPECT(n->n_kindr.upper == CORPUS_KIND_VIDEO);
    EXPECT(same(n->span.lower, "b") && same(n->span.upper, "c"));
}

static void arrays(const corpus_nested *n)
{
    EXPECT(n->a_pair.count == 3 && n->a_pair.nulls != NULL && n->a_pair.nulls[1] == 1);
    EXPECT(!n->a_pair.v[2].x.has && same(n->a_pair.v[0].y, "a"));
    EXPECT(n->a_place.count == 1 && n->a_place.v[0].kind.v == CORPUS_KIND_LIVE_PHOTO);
    EXPECT(n->a_kind.count == 2 && n->a_kind.nulls != NULL);
    EXPECT(n->a_kind.v[0] == CORPUS_KIND_PHOTO && n->a_kind.v[1] == CORPUS_KIND_UNKNOWN);
    EXPECT(n->a_mood.count == 1 && n->a_mood.v[0] == CORPUS_KIND_VIDEO);
    EXPECT(n->a_f8r.count == 2 && (n->a_f8r.v[1].flags & PGC_RANGE_EMPTY) != 0);
    EXPECT(n->a_textr.count == 1 && same(n->a_textr.v[0].upper, "b"));
    EXPECT(n->a_textm.count == 2 && n->a_textm.v[0].count == 1 && n->a_textm.v[1].count == 0);
    EXPECT(n->a_i4m.count == 2 && n->a_i4m.dims != NULL && n->a_i4m.dims[0].lower == 0);
    EXPECT(n->a_ints.count == 2 && n->a_ints.v[0].count == 2 && n->a_ints.nulls[1] == 1);
    EXPECT(n->a_person.count == 3 && same(n->a_person.v[2].name, "Cleo"));
    EXPECT(n->pairs.has && n->pairs.count == 1 && n->pairs.nulls == NULL);
}

/* (value).* gives the fields, of a value, an element, a parameter and a row that may be missing. */
static void stars_are_fields(pgc_db *db)
{
    corpus_star_of_pair_row_set pairs = PGC_ZERO;
    corpus_star_of_was_row_set was = PGC_ZERO;
    corpus_star_of_param_row_set param = PGC_ZERO;
    corpus_star_of_row_row_set rows = PGC_ZERO;
    corpus_star_of_param_params both = PGC_ZERO;
    both.p.x.has = true;
    both.p.x.v = 5;
    EXPECT_OK(corpus_star_of_pair(db, &pairs, &last));
    EXPECT(pairs.count > 0 && pairs.rows[0].x.v == 7 && pairs.rows[0].again.v == 7);
    EXPECT(pairs.count > 0 && pairs.rows[0].y.ptr == NULL);
    corpus_star_of_pair_row_set_free(&pairs);
    EXPECT_OK(corpus_star_of_was(db, &was, &last));
    EXPECT(was.count > 0 && same(was.rows[0].y, "eight") && same(was.rows[0].name, "a"));
    EXPECT(was.count > 0 && !was.rows[0].x_2.has);
    corpus_star_of_was_row_set_free(&was);
    EXPECT_OK(corpus_star_of_param(db, &both, &param, &last));
    EXPECT(param.count == 1 && param.rows[0].x.v == 5 && !param.rows[0].x_2.has);
    corpus_star_of_param_row_set_free(&param);
    EXPECT_OK(corpus_star_of_row(db, &rows, &last));
    bool met = false;
    bool missing = false;
    for (size_t i = 0; i < rows.count; i++) {
        met = met || (rows.rows[i].id.has && rows.rows[i].name.ptr != NULL);
        missing = missing || (!rows.rows[i].id.has && rows.rows[i].name.ptr == NULL);
    }
    EXPECT(met && missing);
    corpus_star_of_row_row_set_free(&rows);
}

/* @nonnull_elems: no list of NULL elements, both ways; one that is there all the same is named. */
static void arrays_without_nulls(pgc_db *db)
{
    const pgc_text words[] = { pgc_text_from("a"), pgc_text_from("") };
    const corpus_kind kinds[] = { CORPUS_KIND_VIDEO };
    corpus_full_arrays_params p = PGC_ZERO;
    corpus_full_arrays_row_set set = PGC_ZERO;
    corpus_full_or_not_set back = PGC_ZERO;
    p.tags.has = true;
    p.tags.count = 2;
    p.tags.v = words;
    p.kinds.has = true;
    p.kinds.count = 1;
    p.kinds.v = kinds;
    EXPECT_OK(corpus_full_arrays(db, &p, &set, &last));
    EXPECT(set.count == 1 && set.rows[0].tags.count == 2 && same(set.rows[0].tags.v[0], "a"));
    EXPECT(set.rows[0].kinds.count == 1 && set.rows[0].kinds.v[0] == CORPUS_KIND_VIDEO);
    EXPECT(!set.rows[0].pairs.has);
    corpus_full_arrays_row *copy = corpus_full_arrays_row_clone(&set.rows[0]);
    corpus_full_arrays_row_set_free(&set);
    EXPECT(copy != NULL && copy->tags.count == 2 && same(copy->tags.v[0], "a"));
    free(copy);
    EXPECT_OK(corpus_full_or_not(db, pgc_text_from("a,"), &back, &last));
    EXPECT(back.count == 1 && back.rows[0].count == 2 && same(back.rows[0].v[0], "a"));
    corpus_full_or_not_set_free(&back);
    EXPECT(corpus_full_or_not(db, pgc_text_from("a,null"), &back, &last) == PGC_PROTOCOL);
    EXPECT(strstr(last.message, "column 1[2] (back, expected type text[]) is NULL") != NULL);
    EXPECT(back.rows == NULL);
}

void nested_values_are_read(pgc_db *db)
{
    corpus_nested_set set = PGC_ZERO;
    EXPECT_OK(corpus_get_nested(db, 11, &set, &last));
    EXPECT(!set.rows[0].n_pair.has && !set.rows[0].a_kind.has && !set.rows[0].n_textm.has);
    EXPECT(set.rows[0].pairs.has && set.rows[0].pairs.count == 0);
    EXPECT((set.rows[0].span.flags & PGC_RANGE_EMPTY) != 0);
    corpus_nested_set_free(&set);
    EXPECT_OK(corpus_get_nested(db, 12, &set, &last));
    composites(&set.rows[0]);
    ranges(&set.rows[0]);
    arrays(&set.rows[0]);
    corpus_nested_set_free(&set);
    stars_are_fields(db);
    arrays_without_nulls(db);
}

/* What was read is sent again; the server must find no difference. */
static void send_again(pgc_db *db, int32_t id, const corpus_nested *n)
{
    corpus_put_nested_params p = PGC_ZERO;
    corpus_same_nested_params rows = PGC_ZERO;
    int64_t found = 0;
    rows.a = id;
    rows.b = p.id = id + 20;
    p.n_pair = n->n_pair;
    p.n_place = n->n_place;
    p.n_stop = n->n_stop;
    p.n_trip = n->n_trip;
    p.n_price = n->n_price;
    p.n_person = n->n_person;
    p.n_f8r = n->n_f8r;
    p.n_f8m = n->n_f8m;
    p.n_dayr = n->n_dayr;
    p.n_textr = n->n_textr;
    p.n_textm = n->n_textm;
    p.n_kindr = n->n_kindr;
    p.a_pair = n->a_pair;
    p.a_place = n->a_place;
    p.a_kind = n->a_kind;
    p.a_mood = n->a_mood;
    p.a_f8r = n->a_f8r;
    p.a_textr = n->a_textr;
    p.a_textm = n->a_textm;
    p.a_i4m = n->a_i4m;
    p.a_ints = n->a_ints;
    p.a_person = n->a_person;
    p.pairs = n->pairs;
    p.one = n->one;
    p.span = n->span;
    EXPECT_OK(corpus_put_nested(db, &p, &last));
    EXPECT_OK(corpus_same_nested(db, &rows, &found, &last));
    EXPECT(found == 1);
}

void nested_values_are_sent(pgc_db *db)
{
    corpus_nested_set set = PGC_ZERO;
    EXPECT_OK(corpus_list_nested(db, &set, &last));
    EXPECT(set.count == 2);
    for (size_t i = 0; i < set.count; i++) {
        send_again(db, set.rows[i].id, &set.rows[i]);
    }
    corpus_nested_set_free(&set);
}

/* Copies live on without the server's answer. */
void nested_values_are_cloned(pgc_db *db)
{
    corpus_nested_set set = PGC_ZERO;
    EXPECT_OK(corpus_get_nested(db, 12, &set, &last));
    corpus_nested *copy = corpus_nested_clone(&set.rows[0]);
    EXPECT(copy != NULL);
    EXPECT_OK(corpus_nested_set_detach(&set, &last));
    composites(&set.rows[0]);
    ranges(&set.rows[0]);
    arrays(&set.rows[0]);
    corpus_nested_set_free(&set);
    if (copy != NULL) {
        composites(copy);
        ranges(copy);
        arrays(copy);
        send_again(db, 12, copy);
    }
    free(copy);
}

/* A label that this code does not know never becomes another one, however deep it stands. */
void labels_inside_are_checked(pgc_db *db)
{
    static const corpus_kind kinds[] = { CORPUS_KIND_PHOTO, CORPUS_KIND_UNKNOWN };
    corpus_assets_of_kinds_set set = PGC_ZERO;
    corpus_arr_kind list = PGC_ZERO;
    list.has = true;
    list.count = 1;
    list.v = kinds;
    EXPECT_OK(corpus_assets_of_kinds(db, list, &set, &last));
    EXPECT(set.count == 1 && same(set.rows[0], "sea"));
    corpus_assets_of_kinds_set_free(&set);
    list.count = 2;
    EXPECT(corpus_assets_of_kinds(db, list, &set, &last) == PGC_INVALID);
    corpus_set_place_params place = PGC_ZERO;
    int64_t affected = 0;
    place.id = 12;
    place.place.has = true;
    place.place.v.kind.has = true; /* and no value */
    EXPECT(corpus_set_place(db, &place, &affected, &last) == PGC_INVALID);
    EXPECT(strstr(last.message, "place") != NULL);
    place.place.v.kind.v = CORPUS_KIND_VIDEO;
    EXPECT_OK(corpus_set_place(db, &place, &affected, &last));
    EXPECT(affected == 1);
}

/* Columns as the config says, both ways. */
void overrides_are_followed(pgc_db *db)
{
    corpus_overridden_set set = PGC_ZERO;
    EXPECT_OK(corpus_get_overridden(db, 3, &set, &last));
    const corpus_overridden *row = &set.rows[0];
    corpus_put_overridden_params p = PGC_ZERO;
    EXPECT(row->at == 1000000 && same(row->note, "n") && same(row->tag, "t"));
    EXPECT(row->price_now > 1.4 && row->price_now < 1.6 && !row->price_then.has);
    EXPECT(row->way.has && row->way.v.depth == 2 && row->ways.count == 2);
    EXPECT(row->ways.v[1].depth == 2 && row->two.v.x == 1);
    p.id = 4;
    p.at = row->at;
    p.note = row->note;
    p.tag = row->tag;
    p.price_now = row->price_now;
    p.price_then.has = true;
    p.price_then.v = 0.25;
    p.way = row->way;
    p.ways = row->ways;
    p.two = row->two;
    EXPECT_OK(corpus_put_overridden(db, &p, &last));
    EXPECT_OK(corpus_overridden_set_detach(&set, &last));
    EXPECT(same(set.rows[0].way.v.text, "a.b") && same(set.rows[0].ways.v[1].text, "b.c"));
    corpus_overridden_set_free(&set);
    EXPECT_OK(corpus_get_overridden(db, 4, &set, &last));
    row = &set.rows[0];
    EXPECT(row->at == 1000000 && row->price_then.has && row->price_then.v < 0.3);
    EXPECT(row->way.has && same(row->way.v.text, "a.b") && row->two.v.x == 1);
    corpus_overridden_set_free(&set);
    double price = 0;
    EXPECT_OK(corpus_overridden_price(db, 4, &price, &last));
    EXPECT(price > 1.4);
    corpus_overridden_in_join_row_set join = PGC_ZERO;
    EXPECT_OK(corpus_overridden_in_join(db, &join, &last));
    EXPECT(join.count == 2 && join.rows[0].note.ptr == NULL && !join.rows[0].price_now.has);
    corpus_overridden_in_join_row_set_free(&join);
    corpus_alias_never_row_set alias = PGC_ZERO;
    EXPECT_OK(corpus_alias_never(db, &alias, &last));
    EXPECT(alias.count == 2 && same(alias.rows[0].nick, "a") && same(alias.rows[0].mail, "ANN@X"));
    corpus_alias_never_row_set_free(&alias);
}
