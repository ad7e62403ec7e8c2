/* Out of memory at every allocation in turn: a supplier that gives each allocation a block of its own (so that each may
 * be the one that fails, and each overrun is seen) and fails from the n-th on. The reply is 503 or the right one. */
#include "tests/service_client.h"

struct block {
    struct block *next;
    alignas(max_align_t) unsigned char bytes[];
};

struct supply {
    struct cp_arena arena;
    struct block *blocks;
    long given, allowed;
};

static void *more(struct cp_arena *arena, size_t size, size_t *given)
{
    struct supply *supply = arena->owner;
    if (supply->given == supply->allowed) return NULL;
    struct block *block = malloc(sizeof *block + size);
    assert_non_null(block);
    block->next = supply->blocks;
    supply->blocks = block;
    supply->given++;
    *given = size;
    return block->bytes;
}

static void open_supply(struct supply *supply, long allowed)
{
    *supply = (struct supply){.allowed = allowed};
    supply->arena = (struct cp_arena){.more = more, .exhausted = cp_service_exhausted, .owner = supply};
}

static void close_supply(struct supply *supply)
{
    while (supply->blocks) {
        struct block *next = supply->blocks->next;
        free(supply->blocks);
        supply->blocks = next;
    }
}

struct row {
    const char *name;
    struct cp_request request;
};

#define POST(name_, body_)                                                                                             \
    {                                                                                                                  \
        name_,                                                                                                         \
        {                                                                                                              \
            .method = CP_POST, .method_name = {"POST", 4}, .path = {"/v1/shapes", 10}, .body = {                       \
                (body_),                                                                                               \
                sizeof(body_) - 1                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
#define TEXT_OF(text_)                                                                                                 \
    {                                                                                                                  \
        (text_), sizeof(text_) - 1                                                                                     \
    }
#define GET(path_)                                                                                                     \
    {                                                                                                                  \
        "GET " path_,                                                                                                  \
        {                                                                                                              \
            .method = CP_GET, .method_name = {"GET", 3}, .path = {(path_), sizeof(path_) - 1 }                         \
        }                                                                                                              \
    }

static const struct row rows[] = {
    POST(
        "everything that is planned",
        "{\"inputs\": {\"a\": [2, 8, 16, 16], \"b\": [2, 8, 16, 16]}, \"layout\": \"channels_last\", \"explain\": "
        "true, "
        "\"covered\": true, \"layers\": [{\"type\": \"Conv2d\", \"name\": \"c\", \"from\": \"a\", \"out_channels\": 4, "
        "\"kernel_size\": 3, \"stride\": [2, 1], \"padding\": \"same_upper\"}, {\"type\": \"MaxPool2d\", "
        "\"kernel_size\": 2, "
        "\"stride\": 3, \"ceil_mode\": true}, {\"type\": \"ConvTranspose2d\", \"out_channels\": 4, \"kernel_size\": 3, "
        "\"stride\": 2}, {\"type\": \"Upsample\", \"scale_factor\": 1.5, \"mode\": \"bilinear\"}, "
        "{\"type\": \"PixelShuffle\", \"upscale_factor\": 2}, {\"type\": \"CenterCrop2d\", \"output_size\": 5}, "
        "{\"type\": \"ReflectionPad2d\", \"padding\": [1, 2, 0, 1]}, {\"type\": \"Slice\", \"dim\": -1, \"step\": 2}, "
        "{\"type\": \"Permute\", \"dims\": [0, 1, 3, 2]}, {\"type\": \"Flatten\"}, "
        "{\"type\": \"Linear\", \"out_features\": 6}, {\"type\": \"Unflatten\", \"dim\": 1, \"unflattened_size\": [2, "
        "-1]}, "
        "{\"type\": \"Concat\", \"from\": [\"a\", \"b\"]}, {\"type\": \"Add\", \"name\": \"sum\", \"from\": [\"a\", "
        "\"b\"]}, "
        "{\"type\": \"MaxPool2d\", \"from\": \"sum\", \"kernel_size\": 3}, "
        "{\"type\": \"AdaptiveAvgPool2d\", \"output_size\": [1, null]}, "
        "{\"type\": \"Conv2d\", \"out_channels\": 3, \"groups\": 2, \"kernel_size\": 99, \"in_channels\": 3}, "
        "{\"type\": \"LayerNorm\", \"from\": \"a\", \"normalized_shape\": [3]}, "
        "{\"type\": \"Add\", \"from\": [\"c\", \"b\"], \"expect\": [1, null]}]}"),
    POST("everything that is wrong with names and members",
         "{\"input\": [1, 4, 8, 0], \"dtype\": \"flaot32\", \"explian\": 1, \"layers\": [{\"type\": \"Conv2d\", "
         "\"name\": \"one\", "
         "\"kernel_size\": [3], \"paddin\": 1, \"padding\": \"smae\"}, {\"type\": \"Relu7\", \"name\": \"one\"}, "
         "{\"type\": \"ReLU\", \"from\": \"onne\", \"expect\": {}}, {\"type\": \"Add\", \"from\": [\"six\", \"input\", "
         "5]}, "
         "{\"type\": \"Upsample\"}, {\"type\": \"CenterCrop2d\", \"like\": \"six\", \"name\": \"six\"}, "
         "{\"type\": \"Reshape\", \"shape\": [-1, -1]}]}"),
    POST("many members",
         "{\"a\": 1, \"b\": 2, \"c\": 3, \"d\": 4, \"e\": 5, \"f\": 6, \"g\": 7, \"h\": 8, \"i\": 9, \"j\": 10, "
         "\"k\": 11, \"l\": 12, \"m\": 13, \"n\": 14, \"o\": 15, \"p\": 16, \"q\": 17, \"r\": 18, \"a\": 19}"),
    POST("no JSON", "{\"input\": [1, 2,, 3]}"),
    {"a figure",
     {.method = CP_GET,
      .method_name = {"GET", 3},
      .path = {"/v1/figure.svg", 14},
      .query = TEXT_OF("op=conv_transpose&i=3,4&k=3&s=2&p=3%3A1&a=1&d=1,2&theme=dark")}},
    {"no figure",
     {.method = CP_GET,
      .method_name = {"GET", 3},
      .path = {"/v1/figure.svg", 14},
      .query = TEXT_OF("op=con&i=3,4,5&k=y&stride=2&s=0&i=3")}},
    {"a diagram",
     {.method = CP_POST,
      .method_name = {"POST", 4},
      .path = {"/v1/diagram.svg", 15},
      .body = TEXT_OF("{\"input\": [1, 3, 9, 9], \"layers\": [{\"type\": \"Conv2d\", \"name\": "
                      "\"a name that is much too long to be written in full\", \"out_channels\": 8, "
                      "\"kernel_size\": 2, \"stride\": 2}, {\"type\": \"ReLU\"}, {\"type\": \"Concat\", "
                      "\"from\": [\"relu_1\", \"input\"]}]}")}},
    GET("/v1/layers"),
    GET("/v1/relationships"),
    GET("/v1/relationships/14"),
    GET("/v1/examples"),
    GET("/v1/examples/lenet5"),
    GET("/v1/examples/lenet%35"),
    GET("/v1/exmples"),
    GET("/problems/kernel_exceds_input"),
    GET("/openapi.json"),
    GET("/"),
    GET("/v1/shapes"),
};

static bool same_reply(const struct cp_reply *reply, const struct cp_reply *wanted)
{
    return reply->status == wanted->status && strcmp(reply->content_type, wanted->content_type) == 0 &&
           cp_text_equal(reply->body, wanted->body);
}

static void check_refusal(const struct row *row, long allowed, const struct cp_reply *reply)
{
    struct cp_json_error error;
    if (reply->status != 503 || !reply->is_static || !cp_test_is_json(reply->body.bytes, reply->body.size, &error) ||
        strcmp(reply->content_type, "application/problem+json") != 0 || reply->header_count != 1 ||
        strcmp(reply->headers[0].name, "Retry-After") != 0)
        fail_msg("%s: with %ld allocations: %d %.*s", row->name, allowed, reply->status, (int)reply->body.size,
                 reply->body.bytes);
}

/* Every number of blocks from none to as many as the reply takes; of a reply that takes very many, every second, third …
 * number, and that last one. */
static void check_row(const struct row *row)
{
    struct supply whole;
    struct cp_reply wanted;
    enum { PLENTY = 1 << 30, MOST_RUNS = 400 };
    open_supply(&whole, PLENTY);
    cp_service_answer(&row->request, &wanted, &whole.arena);
    assert_int_not_equal(wanted.status, 503);
    long stride = 1 + whole.given / MOST_RUNS;
    for (long allowed = whole.given % stride; allowed <= whole.given; allowed += stride) {
        struct supply supply;
        struct cp_reply reply;
        open_supply(&supply, allowed);
        cp_service_answer(&row->request, &reply, &supply.arena);
        if (allowed < whole.given)
            check_refusal(row, allowed, &reply);
        else if (!same_reply(&reply, &wanted))
            fail_msg("%s: with %ld allocations: %d", row->name, allowed, reply.status);
        close_supply(&supply);
    }
    close_supply(&whole);
}

static void test_every_allocation(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) check_row(&rows[at]);
}

/* The server's own memory: a limit in bytes. */
static void test_every_limit(void **state)
{
    (void)state;
    const struct cp_request *request = &rows[0].request;
    struct cp_test_exchange whole;
    cp_test_ask(&whole, request);
    int refused = 0;
    int answered = 0;
    for (size_t limit = 0; limit < (size_t)1 << 20; limit += 997) {
        struct cp_memory memory;
        struct cp_reply reply;
        cp_memory_open(&memory, NULL, limit, cp_service_exhausted);
        cp_service_answer(request, &reply, &memory.arena);
        if (reply.status == 503)
            refused++;
        else
            answered += same_reply(&reply, &whole.reply);
        assert_true(memory.held_bytes <= limit);
        cp_memory_reset(&memory);
    }
    assert_in_range(refused, 1, 1000);
    assert_int_equal(refused + answered, ((1 << 20) + 996) / 997);
    cp_test_close(&whole);
}

/* The thread can go on as if nothing had been. */
static void test_answer_after_exhaustion(void **state)
{
    (void)state;
    struct supply supply;
    struct cp_reply reply;
    for (long allowed = 0; allowed < 200; allowed++) {
        open_supply(&supply, allowed);
        cp_service_answer(&rows[0].request, &reply, &supply.arena);
        close_supply(&supply);
        struct cp_test_exchange exchange;
        cp_test_post(&exchange, CP_TEXT("{\"input\": [3], \"layers\": [{\"type\": \"ReLU\"}]}"));
        assert_int_equal(exchange.reply.status, 200);
        cp_test_close(&exchange);
    }
}

static void test_admission(void **state)
{
    (void)state;
    struct cp_request request = {.method = CP_GET, .method_name = {"GET", 3}, .path = {"/v1/no%20such", 13}};
    struct supply supply;
    struct cp_reply reply = {0};
    long allowed = 0;
    do {
        size_t limit = 0;
        open_supply(&supply, allowed++);
        assert_false(cp_service_admit(&request, &limit, &reply, &supply.arena));
        close_supply(&supply);
    } while (reply.status == 503);
    assert_int_equal(reply.status, 404);
    assert_in_range(allowed, 3, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation),
        cmocka_unit_test(test_every_limit),
        cmocka_unit_test(test_answer_after_exhaustion),
        cmocka_unit_test(test_admission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
