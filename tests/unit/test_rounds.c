/* The turns that a worker's rounds take, under a stand-in for libmicrohttpd: in each round it looks at the connection that
 * has been silent for longest first, for its timeout, whether it is ready or not, and then at all that are ready. */
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

enum { MOST = 160, IDLE = MOST - 1 }; /* the last one asks for nothing */

struct request {
    bool waits;
    int age; /* rounds since the one that it came in */
};

struct model {
    struct cp_rounds rounds;
    struct request requests[MOST];
    int looks, answered; /* in this round */
    int oldest;          /* age of a request when it was answered */
};

static void ask(struct model *model, int which, bool is_new)
{
    struct request *request = &model->requests[which];
    request->waits = cp_rounds_put_off(&model->rounds, request, is_new);
    model->looks++;
    if (request->waits) return;
    model->answered++;
    if (request->age > model->oldest) model->oldest = request->age;
}

/* A round, but for what comes in it. */
static void run(struct model *model, int silent)
{
    bool ready[MOST];
    cp_rounds_begin(&model->rounds);
    model->looks = model->answered = 0;
    for (int which = 0; which < MOST; which++) {
        model->requests[which].age++;
        ready[which] = model->requests[which].waits;
    }
    if (ready[silent]) ask(model, silent, false);
    for (int which = 0; which < MOST; which++) {
        if (model->requests[which].waits) ask(model, which, false);
    }
}

static void come(struct model *model, int first, int count)
{
    for (int which = first; which < first + count; which++) {
        model->requests[which].age = 0;
        ask(model, which, true);
    }
}

static int count_waiting(const struct model *model)
{
    int count = 0;
    for (int which = 0; which < MOST; which++) count += model->requests[which].waits;
    return count;
}

/* At an idle worker: read in one round, answered in the next, sent after it. With the next one read while that is sent,
 * answered two rounds on. */
static void test_alone(void **state)
{
    struct model model = {0};
    (void)state;
    for (int times = 0; times < 10; times++) {
        for (int rounds = 0; rounds <= times % 3; rounds++) run(&model, IDLE);
        come(&model, 3, 1);
        assert_int_equal(model.answered, 0);
        run(&model, times % 2 ? 3 : IDLE);
        assert_int_equal(model.answered, 1);
        run(&model, IDLE);
    }
    come(&model, 3, 1);
    for (int times = 0; times < 10; times++) {
        run(&model, 3);
        assert_int_equal(model.answered, 0);
        run(&model, 3);
        assert_int_equal(model.answered, 1);
        run(&model, IDLE);
        come(&model, 3, 1);
    }
    assert_int_equal(model.oldest, 2);
}

/* Groups in turn, each read while the other is sent: all of one are answered in one round, none at the first look, however
 * large it is and whether an idle connection or one of them has been silent for longest. */
static void test_groups(void **state)
{
    (void)state;
    for (int count = 2; count <= CP_MOST_PUT_OFF; count++) {
        for (int idle = 0; idle < 2; idle++) {
            struct model model = {0};
            int silent = idle ? IDLE : 0;
            come(&model, 0, count);
            run(&model, IDLE);
            assert_int_equal(model.answered, count);
            for (int times = 0; times < 4; times++) {
                run(&model, IDLE); /* sends */
                come(&model, 0, count / 2);
                run(&model, silent); /* reads */
                come(&model, count / 2, count - count / 2);
                assert_int_equal(model.answered, 0);
                run(&model, silent);
                assert_int_equal(model.answered, count);
                assert_int_equal(model.looks, count + !idle); /* the first look was in vain */
            }
        }
    }
}

/* One of the waiting has been silent for longest: its first look is in vain, and it is answered with the others. */
static void test_silent_one(void **state)
{
    struct model model = {0};
    (void)state;
    come(&model, 0, 8);
    run(&model, IDLE);
    run(&model, IDLE);
    come(&model, 0, 8);
    run(&model, 5);
    assert_int_equal(model.looks, 9);
    cp_rounds_begin(&model.rounds);
    model.answered = 0;
    ask(&model, 5, false);
    assert_int_equal(model.answered, 0);
    for (int which = 0; which < 8; which++) ask(&model, which, false);
    assert_int_equal(model.answered, 8);
}

/* The second look at it keeps its place where a new request takes the last one in between. */
static void test_silent_one_at_the_limit(void **state)
{
    enum { WAITING = CP_MOST_PUT_OFF - 1 };
    struct model model = {0};
    (void)state;
    come(&model, IDLE, 1);
    run(&model, IDLE);
    come(&model, 0, WAITING);
    cp_rounds_begin(&model.rounds); /* sends */
    model.answered = 0;
    ask(&model, WAITING - 1, false);
    for (int which = 0; which < WAITING - 1; which++) ask(&model, which, false);
    come(&model, WAITING, 1);
    ask(&model, WAITING - 1, false);
    assert_int_equal(model.answered, 0);
}

/* What comes while others are answered waits until those are sent, and is answered with what comes meanwhile. */
static void test_joining(void **state)
{
    struct model model = {0};
    (void)state;
    come(&model, 0, 10);
    run(&model, 0);
    assert_int_equal(model.answered, 10);
    for (int times = 0; times < 5; times++) {
        come(&model, 10, 5); /* in the round that answers */
        run(&model, 10);
        assert_int_equal(model.answered, 0);
        come(&model, 20, 4); /* while that is sent */
        run(&model, 10);
        assert_int_equal(model.answered, 0);
        come(&model, 30, 3);
        run(&model, 10);
        assert_int_equal(model.answered, 12);
    }
    assert_int_equal(model.oldest, 3);
    assert_int_equal(count_waiting(&model), 0);
}

/* Past those that may be put off together, requests are answered as they come, and in the next round those that waited. */
static void test_too_many(void **state)
{
    struct model model = {0};
    (void)state;
    for (int round = 0; round < 6; round++) {
        run(&model, round % 2 ? 7 : IDLE);
        assert_int_equal(model.answered, round ? CP_MOST_PUT_OFF : 0);
        come(&model, 0, IDLE);
        assert_int_equal(count_waiting(&model), CP_MOST_PUT_OFF);
    }
    assert_int_equal(model.oldest, 1);
}

/* However requests come: none waits for more than three rounds, and some do for as many. What has been silent for longest
 * stays so while its request waits. */
static void test_no_one_waits_for_long(void **state)
{
    struct cp_random random = {1};
    int oldest = 0;
    (void)state;
    for (int turn = 0; turn < 500; turn++) {
        struct model model = {0};
        int active = cp_random_within(&random, 1, IDLE), rarity = cp_random_within(&random, 1, 8), silent = IDLE;
        for (int round = 0; round < 60; round++) {
            if (!model.requests[silent].waits)
                silent = cp_random_chance(&random, 3) ? IDLE : cp_random_within(&random, 0, active - 1);
            run(&model, silent);
            for (int which = 0; which < active; which++)
                if (!model.requests[which].waits && cp_random_chance(&random, rarity)) come(&model, which, 1);
            assert_in_range(count_waiting(&model), 0, CP_MOST_PUT_OFF);
        }
        if (model.oldest > oldest) oldest = model.oldest;
    }
    assert_int_equal(oldest, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_silent_one),
        cmocka_unit_test(test_silent_one_at_the_limit),
        cmocka_unit_test(test_joining),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_no_one_waits_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
