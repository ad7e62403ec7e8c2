/* Single layers with several faults: a fix alone leaves no errors but those found beside. A failing case prints its
 * request. */
#include "tests/property/random.h"
#include "tests/service_client.h"

/* ---- Layers ------------------------------------------------------------------------------------------------------- */

static int draw(struct cp_random *random, int least, int most)
{
    return cp_random_within(random, least, most);
}

/* A number mostly small, now and then so large that products overflow. */
static void put_number(struct cp_random *random, FILE *file, const char *name, int least, int most)
{
    if (cp_random_chance(random, 60))
        (void)fprintf(file, ", \"%s\": 9007199254740991", name);
    else
        (void)fprintf(file, ", \"%s\": %d", name, draw(random, least, most));
}

static void put_list(struct cp_random *random, FILE *file, const char *name, int axes, int least, int most)
{
    (void)fprintf(file, ", \"%s\": [", name);
    for (int axis = 0; axis < axes; axis++) (void)fprintf(file, "%s%d", axis ? ", " : "", draw(random, least, most));
    (void)fprintf(file, "]");
}

static void put_padding(struct cp_random *random, FILE *file, int axes, bool transposed)
{
    static const char *const words[] = {"half", "full", "same_upper", "same_lower", "valid", "same"};
    int way = draw(random, 0, 4);
    if (way == 0) put_list(random, file, "padding", axes, 0, 6);
    if (way == 1) (void)fprintf(file, ", \"padding\": \"%s\"", words[draw(random, 0, transposed ? 1 : 5)]);
    if (way < 2 || way == 4) return;
    (void)fprintf(file, ", \"padding\": [");
    for (int axis = 0; axis < axes; axis++)
        (void)fprintf(file, "%s[%d, %d]", axis ? ", " : "", draw(random, 0, 6), draw(random, 0, 6));
    (void)fprintf(file, "]");
}

static void put_window(struct cp_random *random, FILE *file, int axes, bool transposed)
{
    put_list(random, file, "kernel_size", axes, 1, 7);
    if (draw(random, 0, 1)) put_list(random, file, "stride", axes, 1, 3);
    put_padding(random, file, axes, transposed);
}

static void put_convolution(struct cp_random *random, FILE *file, int axes, bool transposed)
{
    (void)fprintf(file, "{\"type\": \"Conv%s%dd\"", transposed ? "Transpose" : "", axes);
    put_number(random, file, "out_channels", 1, 6);
    if (draw(random, 0, 1)) put_number(random, file, "in_channels", 1, 6);
    if (draw(random, 0, 1)) put_number(random, file, "groups", 1, 4);
    if (!cp_random_chance(random, 3)) put_list(random, file, "dilation", axes, 1, 2);
    put_window(random, file, axes, transposed);
    int way = transposed ? draw(random, 0, 3) : 3;
    if (way < 2) put_list(random, file, "output_padding", axes, 0, 4);
    if (way == 2) put_list(random, file, "output_size", axes, 1, 12);
}

static void put_pool(struct cp_random *random, FILE *file, int axes)
{
    static const char *const types[] = {"MaxPool", "AvgPool", "LPPool", "MaxUnpool"};
    int type = draw(random, 0, 3);
    if (type == 2 && axes == 3) type = 0;
    (void)fprintf(file, "{\"type\": \"%s%dd\"", types[type], axes);
    if (type == 2) (void)fprintf(file, ", \"norm_type\": 2, \"kernel_size\": %d", draw(random, 1, 9));
    if (type != 2) put_window(random, file, axes, type == 3);
    if (type == 0) put_list(random, file, "dilation", axes, 1, 2);
    if (type != 3 && draw(random, 0, 1)) (void)fprintf(file, ", \"ceil_mode\": true");
    if (type == 3 && draw(random, 0, 1)) put_list(random, file, "output_size", axes, 1, 12);
}

static void put_norm(struct cp_random *random, FILE *file, int axes)
{
    static const char *const types[] = {"BatchNorm", "InstanceNorm", "GroupNorm", "Scale", "PReLU", "Linear"};
    static const char *const members[] = {"num_features", "num_features",   "num_channels",
                                          "num_features", "num_parameters", "in_features"};
    int type = draw(random, 0, 5);
    (void)fprintf(file, "{\"type\": \"%s", types[type]);
    if (type < 2) (void)fprintf(file, "%dd", axes);
    (void)fprintf(file, "\"");
    put_number(random, file, members[type], 1, 6);
    if (type == 2) put_number(random, file, "num_groups", 1, 4);
    if (type == 5) put_number(random, file, "out_features", 1, 4);
}

static void put_other(struct cp_random *random, FILE *file, int axes)
{
    static const char *const types[] = {"ZeroPad", "ReflectionPad", "CircularPad", "CenterCrop"};
    int type = draw(random, 0, 3);
    (void)fprintf(file, "{\"type\": \"%s%dd\"", types[type], axes);
    (void)fprintf(file, ", \"%s\": %d", type == 3 ? "output_size" : "padding", draw(random, type == 3 ? 1 : -4, 9));
}

static void put_layer(struct cp_random *random, FILE *file, int axes)
{
    int way = draw(random, 0, 7);
    if (way < 4) put_convolution(random, file, axes, way > 1);
    if (way == 4 || way == 5) put_pool(random, file, axes);
    if (way == 6) put_norm(random, file, axes);
    if (way == 7) put_other(random, file, axes);
    if (cp_random_chance(random, 12)) (void)fprintf(file, ", \"expect\": [1, null, %d]", draw(random, 1, 9));
    (void)fprintf(file, "}");
}

static void write_request(FILE *file, uint64_t seed)
{
    struct cp_random random = {seed};
    int axes = draw(&random, 1, 3), rank = cp_random_chance(&random, 20) ? draw(&random, 2, 5) : axes + 2;
    (void)fprintf(file, "{\"covered\": %s, \"input\": [1", cp_random_chance(&random, 8) ? "true" : "false");
    for (int dim = 1; dim < rank; dim++) (void)fprintf(file, ", %d", draw(&random, 1, dim == 1 ? 6 : 9));
    (void)fprintf(file, "], \"layers\": [");
    put_layer(&random, file, axes);
    (void)fprintf(file, "]}");
}

/* ---- Fixes -------------------------------------------------------------------------------------------------------- */

static bool is_error(struct cp_text body, int finding)
{
    return cp_test_is_string(cp_test_atf(body, "/findings/%d/severity", finding), "error");
}

static int count_errors(struct cp_text body, bool fixed)
{
    int count = 0;
    for (int at = 0; at < cp_test_count(cp_test_at(body, "/findings")); at++)
        count += is_error(body, at) && (!fixed || cp_test_atf(body, "/findings/%d/fix", at).size);
    return count;
}

/* Of one kind and place? */
static bool is_same(struct cp_text body, int finding, struct cp_text other_body, int other)
{
    static const char *const members[] = {"code", "pointer", "axis"};
    for (int at = 0; at < 3; at++)
        if (!cp_text_equal(cp_test_atf(body, "/findings/%d/%s", finding, members[at]),
                           cp_test_atf(other_body, "/findings/%d/%s", other, members[at])))
            return false;
    return true;
}

/* With the fix of one finding in it the layer has no errors but those found beside. */
static const char *check_one(struct cp_text request, struct cp_text body, int finding)
{
    struct cp_test_exchange exchange;
    struct cp_test_text text = cp_test_fixed(request, body, finding);
    cp_test_post(&exchange, (struct cp_text){text.bytes, text.size});
    struct cp_text left = exchange.reply.body;
    bool valid = exchange.reply.status == 200;
    for (int at = 0; valid && at < cp_test_count(cp_test_at(left, "/findings")); at++) {
        bool beside = !is_error(left, at);
        for (int other = 0; !beside && other < cp_test_count(cp_test_at(body, "/findings")); other++)
            beside = other != finding && is_same(left, at, body, other);
        valid = beside;
    }
    cp_test_close(&exchange);
    cp_test_free(&text);
    return valid ? NULL : "a fix leaves errors";
}

struct tally {
    int valid, unfixed, fixed, several;
};

static bool check(uint64_t seed, struct tally *tally)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    write_request(cp_test_begin(&text), seed);
    struct cp_text request = cp_test_finish(&text);
    cp_test_post(&exchange, request);
    struct cp_text body = exchange.reply.body;
    const char *wrong = NULL;
    int errors = exchange.reply.status == 200 ? count_errors(body, false) : 0, fixed = count_errors(body, true);
    for (int at = 0; !wrong && at < cp_test_count(cp_test_at(body, "/findings")); at++)
        if (cp_test_atf(body, "/findings/%d/fix", at).size) wrong = check_one(request, body, at);
    *(errors == 0 ? &tally->valid : fixed ? &tally->fixed : &tally->unfixed) += 1;
    tally->several += errors > 1;
    if (wrong)
        print_error("seed %llu: %s\n  %s\n  %.*s\n", (unsigned long long)seed, wrong, text.bytes, (int)body.size,
                    body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return !wrong;
}

static void test_random_faults(void **state)
{
    enum { LAYERS = 20000, LEAST_OF_EACH = 500, MOST_WRONG = 8 };
    struct tally tally = {0};
    int wrong = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= LAYERS && wrong < MOST_WRONG; seed++) wrong += !check(seed, &tally);
    print_message("valid %d, unfixed %d, fixed %d, several %d\n", tally.valid, tally.unfixed, tally.fixed,
                  tally.several);
    assert_int_equal(wrong, 0);
    assert_true(tally.valid > LEAST_OF_EACH && tally.unfixed > LEAST_OF_EACH && tally.fixed > LEAST_OF_EACH &&
                tally.several > LEAST_OF_EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
