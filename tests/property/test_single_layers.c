/* Every convolution and pool with small parameters, on small sizes: the decoder of /v1/decoder gives the size back, and its
 * output_padding is the a of Relationship 14. */
#include "tests/property/random_pairs.h"
#include "tests/service_client.h"

static void ask(struct cp_test_exchange *exchange, struct cp_text body)
{
    const struct cp_request request = {
        .method = CP_POST, .method_name = CP_TEXT("POST"), .path = CP_TEXT("/v1/decoder"), .body = body};
    cp_test_ask(exchange, &request);
}

static bool same_space(struct cp_text a, struct cp_text b, int axes)
{
    for (int axis = 0; axis < axes; axis++) {
        long long size = cp_test_number(cp_test_atf(a, "/%d", axis + 2));
        if (size < 1 || size != cp_test_number(cp_test_atf(b, "/%d", axis + 2))) return false;
    }
    return cp_test_count(a) == cp_test_count(b);
}

/* ---- Every small layer -------------------------------------------------------------------------------------------- */

/* One layer on three axes of the sizes i, i + 1 and i + 2. */
struct single {
    const char *type, *inverse, *more;
    int kernel, stride, padding, dilation, size;
};

static void write_single(FILE *file, const struct single *single)
{
    bool convolves = strcmp(single->type, "Conv3d") == 0;
    (void)fprintf(file, "{\"input\": [1, 4, %d, %d, %d], \"pool_inverse\": \"%s\", \"encoder\": [{\"type\": \"%s\", ",
                  single->size, single->size + 1, single->size + 2, single->inverse, single->type);
    (void)fprintf(file, "\"kernel_size\": %d, \"stride\": %d, \"padding\": %d", single->kernel, single->stride,
                  single->padding);
    if (convolves) (void)fprintf(file, ", \"out_channels\": 6");
    if (single->dilation > 1) (void)fprintf(file, ", \"dilation\": %d", single->dilation);
    (void)fprintf(file, "%s}]}", single->more);
}

/* An entry of a member that is one number for all axes, or a list. */
static long long per_axis(struct cp_text value, int axis)
{
    return value.size && *value.bytes == '[' ? cp_test_number(cp_test_atf(value, "/%d", axis)) : cp_test_number(value);
}

/* output_padding is a = (i + 2p − k̂) mod s on each axis, as the pair says too. */
static bool remainders_right(struct cp_text body, const struct single *single)
{
    int span = (single->kernel - 1) * single->dilation + 1;
    for (int axis = 0; axis < 3; axis++) {
        int room = single->size + axis + 2 * single->padding - span;
        int a = room - cp_test_floor_divide(room, single->stride) * single->stride;
        if (per_axis(cp_test_at(body, "/decoder/0/output_padding"), axis) != a) return false;
        struct cp_text told = cp_test_atf(body, "/roundtrip/pairs/0/axes/%d/a", axis);
        if (told.size && cp_test_number(told) != a) return false;
    }
    return true;
}

static bool check_single(const struct single *single, int *designed)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    write_single(cp_test_begin(&text), single);
    ask(&exchange, cp_test_finish(&text));
    struct cp_text body = exchange.reply.body;
    int span = (single->kernel - 1) * single->dilation + 1;
    bool ceil = strstr(single->more, "true"), fits = single->size + 2 * single->padding >= span || ceil;
    const char *wrong = NULL;
    if (!cp_test_is(cp_test_at(body, "/valid"), fits ? "true" : "false")) wrong = "valid";
    if (fits && !same_space(cp_test_at(body, "/roundtrip/input"), cp_test_at(body, "/roundtrip/output"), 3))
        wrong = "the output is not the input";
    bool exact = fits && !ceil && strcmp(single->inverse, "conv_transpose") == 0;
    if (exact && !wrong && !remainders_right(body, single)) wrong = "output_padding is not a";
    *designed += fits;
    if (wrong) print_error("%s\n  %s\n  %.*s\n", wrong, text.bytes, (int)body.size, body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return !wrong;
}

static int check_sizes(struct single single, int *designed)
{
    enum { LARGEST = 40 };
    int wrong = 0;
    bool ceil = strstr(single.more, "true");
    for (single.size = ceil ? single.kernel * single.dilation : 1; single.size + 2 <= LARGEST + 2; single.size += 3)
        wrong += !check_single(&single, designed);
    return wrong;
}

static void test_every_small_convolution(void **state)
{
    enum { KERNELS = 5, STRIDES = 4, DILATIONS = 2, LEAST_DESIGNED = 2000 };
    int wrong = 0, designed = 0;
    struct single single = {.type = "Conv3d", .inverse = "conv_transpose", .more = ""};
    (void)state;
    for (single.kernel = 1; single.kernel <= KERNELS; single.kernel++)
        for (single.stride = 1; single.stride <= STRIDES; single.stride++)
            for (single.dilation = 1; single.dilation <= DILATIONS; single.dilation++)
                for (single.padding = 0; single.padding <= single.kernel; single.padding++)
                    wrong += check_sizes(single, &designed);
    assert_int_equal(wrong, 0);
    assert_true(designed >= LEAST_DESIGNED);
}

static void test_every_small_pool(void **state)
{
    static const char *const inverses[] = {"conv_transpose", "unpool", "upsample"};
    static const char *const more[] = {"", ", \"ceil_mode\": true"};
    enum { KERNELS = 3, STRIDES = 4, LEAST_DESIGNED = 1000 };
    int wrong = 0, designed = 0;
    struct single single = {.type = "MaxPool3d"};
    (void)state;
    for (int way = 0; way < 6; way++) {
        single.inverse = inverses[way / 2];
        single.more = more[way % 2];
        for (single.kernel = 1; single.kernel <= KERNELS; single.kernel++)
            for (single.stride = 1; single.stride <= STRIDES; single.stride++)
                for (single.dilation = 1; single.dilation <= 2; single.dilation++)
                    for (single.padding = 0; 2 * single.padding <= single.kernel; single.padding++)
                        wrong += check_sizes(single, &designed);
    }
    assert_int_equal(wrong, 0);
    assert_true(designed >= LEAST_DESIGNED);
}

/* ---- Uneven padding ----------------------------------------------------------------------------------------------- */

struct lopsided {
    int size, kernel, stride, begin, end;
    bool ceil;
};

/* PyTorch's: the same padding on both sides, and a size within a stride of (i − 1)s + k − 2p. */
static bool pytorch_can(const struct lopsided *pool, int pooled)
{
    for (int padding = 0; padding <= pool->kernel; padding++) {
        int missing = pool->size - ((pooled - 1) * pool->stride + pool->kernel - 2 * padding);
        if (missing > -pool->stride && missing < pool->stride) return true;
    }
    return false;
}

static bool check_lopsided(const struct lopsided *pool, int *even)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    (void)fprintf(cp_test_begin(&text),
                  "{\"input\": [1, 1, %d], \"pool_inverse\": \"unpool\", \"encoder\": [{\"type\": \"MaxPool1d\", "
                  "\"kernel_size\": %d, \"stride\": %d, \"padding\": [[%d, %d]], \"ceil_mode\": %s}]}",
                  pool->size, pool->kernel, pool->stride, pool->begin, pool->end, pool->ceil ? "true" : "false");
    ask(&exchange, cp_test_finish(&text));
    struct cp_text body = exchange.reply.body, padding = cp_test_at(body, "/decoder/0/padding");
    bool valid = cp_test_is(cp_test_at(body, "/valid"), "true"), paired = padding.size && *padding.bytes == '[';
    bool keeps = cp_test_count(cp_test_at(body, "/decoder")) == 0;
    int pooled = (int)cp_test_number(cp_test_at(body, "/roundtrip/latent/2"));
    bool right = !valid || keeps || paired == !pytorch_can(pool, pooled);
    if (valid && !same_space(cp_test_at(body, "/roundtrip/input"), cp_test_at(body, "/roundtrip/output"), 1))
        right = false;
    *even += valid && !paired;
    if (!right) print_error("%s\n  %.*s\n", text.bytes, (int)body.size, body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&text);
    return right;
}

static void test_unpooling_of_uneven_padding(void **state)
{
    enum { KERNELS = 5, STRIDES = 4, SIZES = 12, LEAST_EVEN = 800 };
    int wrong = 0, even = 0;
    struct lopsided pool = {0};
    (void)state;
    for (int number = 0; number < KERNELS * STRIDES * SIZES * 2; number++) {
        pool.kernel = 1 + number % KERNELS;
        pool.stride = 1 + number / KERNELS % STRIDES;
        pool.size = 1 + number / KERNELS / STRIDES % SIZES;
        pool.ceil = number >= KERNELS * STRIDES * SIZES;
        for (pool.begin = 0; 2 * pool.begin <= pool.kernel; pool.begin++)
            for (pool.end = 0; 2 * pool.end <= pool.kernel; pool.end++) wrong += !check_lopsided(&pool, &even);
    }
    assert_int_equal(wrong, 0);
    assert_true(even >= LEAST_EVEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_small_convolution),
        cmocka_unit_test(test_every_small_pool),
        cmocka_unit_test(test_unpooling_of_uneven_padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
