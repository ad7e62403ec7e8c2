/* The turns that a worker's rounds take, under a stand-in for libmicrohttpd: it looks at some connection first, for its
 * timeout, and then at all that are ready, in an order of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/http/rounds.h"
#include "tests/property/random.h"

enum { MOST = 160, MOST_ROUNDS = 6 };

struct request {
    bool waits;
    int age; /* rounds since the one that it came in */
};

struct model {
    struct cp_rounds rounds;
    struct request requests[MOST];
    int put_off, answered; /* in this round */
};

static void ask(struct model *model, int which, bool is_new)
{
    struct request *request = &model->requests[which];
    if (cp_rounds_put_off(&model->rounds, request, is_new)) {
        request->waits = true;
        model->put_off++;
    } else {
        request->waits = false;
        model->answered++;
    }
}

static void begin(struct model *model)
{
    cp_rounds_begin(&model->rounds);
    model->put_off = model->answered = 0;
    for (int which = 0; which < MOST; which++) model->requests[which].age++;
}

/* The rest of a round: `silent` is looked at first, and again with the others. */
static void look_at_all(struct model *model, int silent)
{
    bool waited[MOST];
    for (int which = 0; which < MOST; which++) waited[which] = model->requests[which].waits;
    if (waited[silent]) ask(model, silent, false);
    for (int which = 0; which < MOST; which++) {
        if (waited[which] && model->requests[which].waits) ask(model, which, false);
    }
}

static void come(struct model *model, int which)
{
    model->requests[which].age = 0;
    ask(model, which, true);
}

/* Alone: read in one round, answered in the next, sent after it; each time. */
static void test_alone(void **state)
{
    struct model model = {0};
    (void)state;
    for (int times = 0; times < 10; times++) {
        begin(&model);
        come(&model, 3);
        assert_true(model.requests[3].waits);
        begin(&model);
        look_at_all(&model, times % 2 ? 3 : 5);
        assert_int_equal(model.answered, 1);
        begin(&model);
    }
}

/* All that came together are answered in one round, whichever of them is looked at first, and none at the first look. */
static void test_together(void **state)
{
    (void)state;
    for (int count = 2; count <= CP_MOST_PUT_OFF; count++) {
        struct model model = {0};
        for (int times = 0; times < 4; times++) {
            begin(&model);
            for (int which = 0; which < count; which++) come(&model, which);
            begin(&model);
            ask(&model, count / 2, false);
            assert_int_equal(model.answered, 0);
            for (int which = 0; which < count; which++) ask(&model, which, false);
            assert_int_equal(model.answered, count);
            begin(&model);
        }
    }
}

/* What comes while others are answered or sent joins one group, which is answered once those are on their way. */
static void test_joining(void **state)
{
    struct model model = {0};
    (void)state;
    for (int which = 0; which < 10; which++) come(&model, which);
    begin(&model);
    look_at_all(&model, 0);
    assert_int_equal(model.answered, 10);
    begin(&model);
    for (int times = 0; times < 5; times++) {
        for (int which = 0; which < 5; which++) come(&model, 10 + which); /* while the others are sent */
        begin(&model);
        look_at_all(&model, 10);
        assert_int_equal(model.answered, 0);
        for (int which = 0; which < 4; which++) come(&model, 20 + which);
        begin(&model);
        look_at_all(&model, 10);
        assert_int_equal(model.answered, 9);
        begin(&model);
        look_at_all(&model, 10);
    }
}

/* Past those that may be put off together, requests are answered when they come. */
static void test_too_many(void **state)
{
    struct model model = {0};
    (void)state;
    begin(&model);
    for (int which = 0; which < MOST; which++) come(&model, which);
    assert_int_equal(model.put_off, CP_MOST_PUT_OFF);
    assert_int_equal(model.answered, MOST - CP_MOST_PUT_OFF);
}

/* However requests come, and whatever libmicrohttpd looks at first, even at nothing twice: none waits for long. */
static void test_no_one_waits_for_long(void **state)
{
    (void)state;
    struct cp_random random = {1};
    int oldest = 0;
    for (int run = 0; run < 500; run++) {
        struct model model = {0};
        int active = cp_random_within(&random, 1, MOST), rarity = cp_random_within(&random, 1, 8);
        bool second_look = cp_random_within(&random, 0, 1);
        for (int round = 0; round < 60; round++) {
            begin(&model);
            int silent = cp_random_within(&random, 0, active - 1);
            if (second_look)
                look_at_all(&model, silent);
            else
                for (int at = 0; at < active; at++) {
                    int which = (at + silent) % active;
                    if (model.requests[which].waits) ask(&model, which, false);
                }
            for (int which = 0; which < active; which++) {
                struct request *request = &model.requests[which];
                if (request->waits && request->age > oldest) oldest = request->age;
                if (!request->waits && cp_random_chance(&random, rarity)) come(&model, which);
            }
            assert_in_range(model.put_off, 0, CP_MOST_PUT_OFF);
        }
    }
    assert_in_range(oldest, 1, MOST_ROUNDS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_joining),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_no_one_waits_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
