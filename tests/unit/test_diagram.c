/* POST /v1/diagram.svg: a block for each layer, an arc for each skip, a mark for each finding, whatever the names. */
#include "tests/service_client.h"
#include "tests/svg_reader.h"

#include "core/limits.h"
#include "server/embedded.h"

static void post_diagram(struct cp_test_exchange *exchange, const char *query, struct cp_text body)
{
    const struct cp_request request = {.method = CP_POST,
                                       .method_name = CP_TEXT("POST"),
                                       .path = CP_TEXT("/v1/diagram.svg"),
                                       .query = cp_text_of(query),
                                       .body = body};
    cp_test_ask(exchange, &request);
}

static void open_diagram(struct cp_test_exchange *exchange, struct cp_svg *svg, struct cp_text body)
{
    post_diagram(exchange, "", body);
    if (exchange->reply.status != 200)
        fail_msg("%d %.*s", exchange->reply.status, (int)exchange->reply.body.size, exchange->reply.body.bytes);
    assert_string_equal(exchange->reply.content_type, "image/svg+xml");
    cp_svg_open(svg, exchange->reply.body);
}

static void close_diagram(struct cp_test_exchange *exchange, struct cp_svg *svg)
{
    cp_svg_close(svg);
    cp_test_close(exchange);
}

/* ---- The example networks ------------------------------------------------------------------------------------------ */

static bool overlap(const struct cp_svg_element *a, const struct cp_svg_element *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height && b->y < a->y + a->height;
}

/* Every block lies in the picture and none on another. */
static void check_blocks(const char *name, const struct cp_svg *svg)
{
    const struct cp_svg_element *picture = &svg->elements[0];
    for (size_t at = 0; at < svg->count; at++) {
        const struct cp_svg_element *block = &svg->elements[at];
        if (strcmp(block->name, "rect") != 0) continue;
        if (block->x < 0 || block->y < 0 || block->width < 1 || block->height < 1 ||
            block->x + block->width > picture->width || block->y + block->height > picture->height)
            fail_msg("%s: a block at %ld, %ld is not in the picture", name, block->x, block->y);
        for (size_t other = at + 1; other < svg->count; other++)
            if (strcmp(svg->elements[other].name, "rect") == 0 && overlap(block, &svg->elements[other]))
                fail_msg("%s: blocks overlap at %ld, %ld", name, block->x, block->y);
    }
}

static void test_examples(void **state)
{
    (void)state;
    for (int at = 0; at < cp_example_count; at++) {
        struct cp_test_exchange exchange, plan;
        struct cp_svg svg;
        open_diagram(&exchange, &svg, cp_examples[at].request);
        cp_test_post(&plan, cp_examples[at].request);
        int layers = cp_test_count(cp_test_at(plan.reply.body, "/layers"));
        if (cp_svg_count(&svg, "rect", NULL) != layers + 1)
            fail_msg("%s: %d blocks", cp_examples[at].name, cp_svg_count(&svg, "rect", NULL));
        assert_int_equal(cp_svg_count(&svg, "rect", "input"), 1);
        for (int layer = 0; layer < layers; layer++) {
            struct cp_text name = cp_test_atf(plan.reply.body, "/layers/%d/name", layer);
            char text[128];
            (void)snprintf(text, sizeof text, "%.*s (", (int)name.size - 2, name.bytes + 1);
            if (name.size < 30 && !cp_test_holds(cp_svg_first(&svg, "desc")->text, text))
                fail_msg("%s: %s is not told", cp_examples[at].name, text);
        }
        check_blocks(cp_examples[at].name, &svg);
        close_diagram(&exchange, &svg);
        cp_test_close(&plan);
    }
}

/* ---- Blocks -------------------------------------------------------------------------------------------------------- */

/* Heights are to scale, widths grow with the channels by doublings. */
static void test_scale(void **state)
{
    (void)state;
    static const char body[] = "{\"input\": [1, 1, 70, 70], \"layers\": ["
                               "{\"type\": \"Conv2d\", \"out_channels\": 64, \"kernel_size\": 1, \"stride\": 2},"
                               "{\"type\": \"AvgPool2d\", \"kernel_size\": 5},"
                               "{\"type\": \"Flatten\"}, {\"type\": \"Linear\", \"out_features\": 8}]}";
    struct cp_test_exchange exchange;
    struct cp_svg svg;
    open_diagram(&exchange, &svg, CP_TEXT(body));
    const struct cp_svg_element *input = cp_svg_first(&svg, "rect"), *blocks[5] = {0};
    int count = 0;
    for (size_t at = 0; at < svg.count; at++)
        if (strcmp(svg.elements[at].name, "rect") == 0) blocks[count++] = &svg.elements[at];
    assert_int_equal(count, 5);
    assert_int_equal(input->height, 140);
    assert_int_equal(input->width, 7);
    assert_int_equal(blocks[1]->height, 70);
    assert_int_equal(blocks[1]->width, 7 + 6 * 3);
    assert_int_equal(blocks[2]->height, 14);
    assert_string_equal(blocks[2]->classes, "pooling");
    assert_int_equal(blocks[4]->height, 3 * 7);
    assert_int_equal(blocks[4]->width, 9);
    assert_string_equal(blocks[4]->classes, "dense");
    assert_true(cp_test_holds(exchange.reply.body, "<title id=\"title\">1 × 1 × 70 × 70  →  1 × 8</title>"));
    assert_true(cp_test_holds(exchange.reply.body, "64×35×35"));
    assert_true(cp_test_holds(exchange.reply.body, "role=\"img\""));
    close_diagram(&exchange, &svg);
}

static void test_channels_last(void **state)
{
    (void)state;
    static const char body[] = "{\"input\": [1, 70, 35, 3], \"layout\": \"channels_last\", \"layers\": ["
                               "{\"type\": \"Conv2d\", \"out_channels\": 64, \"kernel_size\": 1}]}";
    struct cp_test_exchange exchange;
    struct cp_svg svg;
    open_diagram(&exchange, &svg, CP_TEXT(body));
    assert_true(cp_test_holds(exchange.reply.body, "<title id=\"title\">1 × 70 × 35 × 3  →  1 × 70 × 35 × 64</title>"));
    assert_true(cp_test_holds(exchange.reply.body, ">70×35×64<"));
    close_diagram(&exchange, &svg);
}

/* ---- Arcs ---------------------------------------------------------------------------------------------------------- */

static void test_arcs(void **state)
{
    (void)state;
    static const char body[] = "{\"inputs\": {\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8, 8]}, \"layers\": ["
                               "{\"type\": \"ReLU\", \"name\": \"r\", \"from\": \"b\"},"
                               "{\"type\": \"Add\", \"name\": \"s\", \"from\": [\"r\", \"a\", \"b\"]},"
                               "{\"type\": \"ReLU\", \"name\": \"t\", \"from\": \"a\"},"
                               "{\"type\": \"Concat\", \"name\": \"u\", \"from\": [\"t\", \"s\"]}]}";
    struct cp_test_exchange exchange;
    struct cp_svg svg;
    open_diagram(&exchange, &svg, CP_TEXT(body));
    assert_int_equal(cp_svg_count(&svg, "path", "arc"), 4); /* a, b ⇒ s; a ⇒ t; s ⇒ u */
    assert_int_equal(cp_svg_count(&svg, "path", "end"), 3);
    assert_int_equal(cp_svg_count(&svg, "path", "wire"), 2); /* r ⇒ s, t ⇒ u; r is a slab on b */
    assert_int_equal(cp_svg_count(&svg, "rect", "input"), 2);
    close_diagram(&exchange, &svg);
}

/* A chain of `count` convolutions; the last layer adds the first of them. */
static struct cp_text long_chain(struct cp_test_text *text, int count)
{
    FILE *file = cp_test_begin(text);
    (void)fputs("{\"input\": [1, 64, 8, 8], \"layers\": [", file);
    for (int at = 0; at < count; at++)
        (void)fprintf(file, "{\"type\": \"Conv2d\", \"name\": \"c%d\", \"out_channels\": 64, \"kernel_size\": 1},", at);
    (void)fprintf(file, "{\"type\": \"Add\", \"name\": \"sum\", \"from\": [\"c%d\", \"c0\", \"c1\"]}]}", count - 1);
    return cp_test_finish(text);
}

/* Between lines: one half arc at each end, with the name of the other. */
static void test_arcs_between_lines(void **state)
{
    (void)state;
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    struct cp_svg svg;
    open_diagram(&exchange, &svg, long_chain(&text, 200));
    assert_int_equal(cp_svg_count(&svg, "path", "arc"), 3);
    assert_true(cp_test_holds(exchange.reply.body, ">c0 and 1 more →<"));
    assert_true(cp_test_holds(exchange.reply.body, ">→ sum<"));
    check_blocks("long chain", &svg);
    close_diagram(&exchange, &svg);
    cp_test_free(&text);
}

/* ---- Findings and names -------------------------------------------------------------------------------------------- */

static void test_findings(void **state)
{
    (void)state;
    static const char body[] =
        "{\"input\": [1, 3, 5, 8], \"layers\": ["
        "{\"type\": \"MaxPool2d\", \"name\": \"pool\", \"kernel_size\": 2},"
        "{\"type\": \"Conv2d\", \"name\": \"large\", \"out_channels\": 8, \"kernel_size\": [3, 1]},"
        "{\"type\": \"ReLU\", \"name\": \"after\"}]}";
    struct cp_test_exchange exchange;
    struct cp_svg svg;
    open_diagram(&exchange, &svg, CP_TEXT(body));
    assert_int_equal(cp_svg_count(&svg, "rect", "pooling warning"), 1);
    assert_int_equal(cp_svg_count(&svg, "rect", "convolution failed error"), 1);
    assert_int_equal(cp_svg_count(&svg, "rect", "activation failed"), 1);
    assert_int_equal(cp_svg_count(&svg, "g", "badge"), 2); /* on the block, and beneath */
    assert_int_equal(cp_svg_count(&svg, "g", "badge caution"), 2);
    assert_true(cp_test_holds(exchange.reply.body, "not valid: 1 error<"));
    assert_true(cp_test_holds(exchange.reply.body, "large, axis H: the kernel spans 3 cells"));
    assert_true(cp_test_holds(exchange.reply.body, "→  unknown</title>"));
    assert_false(cp_test_holds(exchange.reply.body, "parameters")); /* not known, so not told */
    close_diagram(&exchange, &svg);
}

/* Names are anything that JSON can hold: XML cannot. */
static void test_names(void **state)
{
    (void)state;
    static const char body[] =
        "{\"inputs\": {\"<&>\\\"'\": [1, 4, 8, 8]}, \"layers\": ["
        "{\"type\": \"ReLU\", \"name\": \"]]>\"}, {\"type\": \"ReLU\", \"name\": \"\\u0001\\u001f\\uffff\\ufffe\"},"
        "{\"type\": \"ReLU\", \"name\": \"<script>\"}, {\"type\": \"ReLU\", \"name\": \"\\ud83d\\ude00 çé\"},"
        "{\"type\": \"MaxPool2d\", \"kernel_size\": 9, \"name\": \"<bad>\"},"
        "{\"type\": \"ReLU\", \"name\": \"ααααααααααββββββββββββββββββγγγγγγγγγγγγγγγγγγ\"}]}";
    struct cp_test_exchange exchange;
    struct cp_svg svg;
    open_diagram(&exchange, &svg, CP_TEXT(body));
    assert_true(cp_test_holds(exchange.reply.body, ">&lt;&amp;&gt;&quot;&#39;<"));
    assert_true(cp_test_holds(exchange.reply.body, ">\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd<"));
    assert_true(cp_test_holds(exchange.reply.body, ">&lt;script&gt;<"));
    assert_true(cp_test_holds(exchange.reply.body, ">\xf0\x9f\x98\x80 çé<"));
    assert_true(cp_test_holds(exchange.reply.body, ">ααααααααα…γγγγγγγγγγγγγγγγγγ<"));
    close_diagram(&exchange, &svg);
}

/* ---- Limits and errors --------------------------------------------------------------------------------------------- */

static void test_layer_limit(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        post_diagram(&exchange, "", long_chain(&text, CP_MAX_DIAGRAM_LAYERS - 1 + over));
        assert_int_equal(exchange.reply.status, over ? 422 : 200);
        if (over) {
            struct cp_text error = cp_test_at(exchange.reply.body, "/errors/0");
            assert_true(cp_test_is_string(cp_test_at(error, "/code"), "limit_exceeded"));
            assert_true(cp_test_is_string(cp_test_at(error, "/pointer"), "/layers"));
            assert_true(cp_test_is_string(cp_test_at(error, "/detail"), "layers of a diagram: 501, the limit is 500"));
        }
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
}

static void test_connection_limit(void **state)
{
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        FILE *file = cp_test_begin(&text);
        (void)fputs("{\"input\": [1, 1, 8, 8], \"layers\": [{\"type\": \"ReLU\", \"name\": \"x\"}", file);
        for (int layer = 0; layer < 4; layer++) {
            (void)fputs(", {\"type\": \"Add\", \"from\": [\"input\"", file);
            for (int at = 1; at < CP_MAX_DIAGRAM_CONNECTIONS / 4; at++) (void)fputs(", \"input\"", file);
            (void)fputs("]}", file);
        }
        (void)fprintf(file, ", {\"type\": \"ReLU\"%s}]}", over ? ", \"from\": \"x\"" : "");
        post_diagram(&exchange, "", cp_test_finish(&text));
        assert_int_equal(exchange.reply.status, over ? 422 : 200);
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
}

static const struct wrong {
    const char *name, *query, *body;
    int status, errors;
    const char *code;
} wrongs[] = {
    {"no JSON", "", "{", 400, 1, "invalid_json"},
    {"an unknown parameter", "colour=dark", "{\"input\": [1, 1, 8, 8], \"layers\": [{\"type\": \"ReLU\"}]}", 422, 1,
     "unknown_parameter"},
    {"query and body", "theme=x", "{\"input\": [1, 1, 8, 8], \"layer\": []}", 422, 3, "unknown_word"},
    {"an unknown type", "", "{\"input\": [1, 1, 8, 8], \"layers\": [{\"type\": \"Relu\"}]}", 422, 1,
     "unknown_layer_type"},
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof wrongs / sizeof wrongs[0]; at++) {
        struct cp_test_exchange exchange;
        post_diagram(&exchange, wrongs[at].query, cp_text_of(wrongs[at].body));
        struct cp_text body = exchange.reply.body;
        if (exchange.reply.status != wrongs[at].status ||
            cp_test_count(cp_test_at(body, "/errors")) != wrongs[at].errors ||
            !cp_test_is_string(cp_test_at(body, "/errors/0/code"), wrongs[at].code))
            fail_msg("%s: %d %.*s", wrongs[at].name, exchange.reply.status, (int)body.size, body.bytes);
        cp_test_close(&exchange);
    }
}

/* An Accept header that rules pictures out. */
static void test_accept(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        int status;
    } rows[] = {{"image/svg+xml", 200}, {"image/*", 200}, {"*/*", 200}, {"application/json", 406}, {"image/png", 406}};
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) {
        const struct cp_request request = {.method = CP_POST,
                                           .method_name = CP_TEXT("POST"),
                                           .path = CP_TEXT("/v1/diagram.svg"),
                                           .accept = cp_text_of(rows[at].accept),
                                           .body = CP_TEXT("{\"input\": [1, 1, 8, 8], \"layers\": [{\"type\": "
                                                           "\"ReLU\"}]}")};
        struct cp_test_exchange exchange;
        cp_test_ask(&exchange, &request);
        if (exchange.reply.status != rows[at].status) fail_msg("%s: %d", rows[at].accept, exchange.reply.status);
        cp_test_close(&exchange);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_channels_last),
        cmocka_unit_test(test_arcs),
        cmocka_unit_test(test_arcs_between_lines),
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_layer_limit),
        cmocka_unit_test(test_connection_limit),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
