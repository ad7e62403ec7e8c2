/* GET /v1/figure.svg: the guide's fifteen figures, what each step shows, and every way to ask wrongly. */
#include "tests/service_client.h"
#include "tests/svg_reader.h"

#include "core/limits.h"
#include "core/relationships.h"

static void ask_figure(struct cp_test_exchange *exchange, const char *query)
{
    const struct cp_request request = {
        .method = CP_GET, .method_name = CP_TEXT("GET"), .path = CP_TEXT("/v1/figure.svg"), .query = cp_text_of(query)};
    cp_test_ask(exchange, &request);
}

/* The picture, read; the exchange and the picture are to be closed. */
static void open_figure(struct cp_test_exchange *exchange, struct cp_svg *svg, const char *query)
{
    ask_figure(exchange, query);
    if (exchange->reply.status != 200)
        fail_msg("%s: %d %.*s", query, exchange->reply.status, (int)exchange->reply.body.size,
                 exchange->reply.body.bytes);
    assert_string_equal(exchange->reply.content_type, "image/svg+xml");
    cp_svg_open(svg, exchange->reply.body);
}

static void close_figure(struct cp_test_exchange *exchange, struct cp_svg *svg)
{
    cp_svg_close(svg);
    cp_test_close(exchange);
}

/* ---- The guide's figures ------------------------------------------------------------------------------------------ */

/* Cells of the picture, from the guide: i and o are those of the convolution, which a transposed one exchanges. */
static const struct guide {
    const char *name, *query;
    int input, zeros, extra, padding, unseen, output, kernel, relationship;
} guide[] = {
    {"no padding, unit strides", "op=conv&i=4&k=3", 16, 0, 0, 0, 0, 2, 3, 1},
    {"arbitrary padding", "op=conv&i=5&k=4&p=2", 25, 0, 0, 81 - 25, 0, 6, 4, 2},
    {"half padding", "op=conv&i=5&k=3&p=1", 25, 0, 0, 49 - 25, 0, 5, 3, 3},
    {"full padding", "op=conv&i=5&k=3&p=2", 25, 0, 0, 81 - 25, 0, 7, 3, 4},
    {"no padding, strides", "op=conv&i=5&k=3&s=2", 25, 0, 0, 0, 0, 2, 3, 5},
    {"padding, strides", "op=conv&i=5&k=3&s=2&p=1", 25, 0, 0, 49 - 25, 0, 3, 3, 6},
    {"padding, strides, odd", "op=conv&i=6&k=3&s=2&p=1", 36, 0, 0, 64 - 36, 64 - 49, 3, 3, 6},
    {"transposed of the first", "op=conv_transpose&i=2&k=3", 4, 0, 0, 36 - 4, 0, 4, 3, 8},
    {"transposed, arbitrary padding", "op=conv_transpose&i=6&k=4&p=2", 36, 0, 0, 64 - 36, 0, 5, 4, 9},
    {"transposed, half padding", "op=conv_transpose&i=5&k=3&p=1", 25, 0, 0, 49 - 25, 0, 5, 3, 10},
    {"transposed, full padding", "op=conv_transpose&i=7&k=3&p=2", 49, 0, 0, 0, 0, 5, 3, 11},
    {"transposed, strides", "op=conv_transpose&i=2&k=3&s=2", 4, 9 - 4, 0, 49 - 9, 0, 5, 3, 12},
    {"transposed, padding, strides", "op=conv_transpose&i=3&k=3&s=2&p=1", 9, 25 - 9, 0, 49 - 25, 0, 5, 3, 13},
    {"transposed, padding, strides, odd", "op=conv_transpose&i=3&k=3&s=2&p=1&a=1", 9, 25 - 9, 36 - 25, 64 - 36, 0, 6, 3,
     14},
    {"dilated", "op=conv&i=7&k=3&d=2", 49, 0, 0, 0, 0, 3, 3, 15},
};
enum { GUIDE_COUNT = sizeof guide / sizeof guide[0] };

/* Cells of the input of a kind, seen or not. */
static int cells(const struct cp_svg *svg, const char *kind)
{
    char unseen[CP_SVG_NAME], cropped[CP_SVG_NAME];
    (void)snprintf(unseen, sizeof unseen, "%s unseen", kind);
    (void)snprintf(cropped, sizeof cropped, "%s cropped", kind);
    return cp_svg_count(svg, "rect", kind) + cp_svg_count(svg, "rect", unseen) + cp_svg_count(svg, "rect", cropped);
}

static void check_count(const struct guide *row, int step, const char *what, int actual, int expected)
{
    if (actual != expected) fail_msg("%s, step %d: %s: %d, not %d", row->name, step, what, actual, expected);
}

static void check_guide_cells(const struct guide *row, int step, const struct cp_svg *svg)
{
    check_count(row, step, "input", cells(svg, "input"), row->input);
    check_count(row, step, "zeros", cells(svg, "zero"), row->zeros);
    check_count(row, step, "extra", cells(svg, "extra"), row->extra);
    check_count(row, step, "padding", cells(svg, "padding"), row->padding);
    check_count(row, step, "beyond", cells(svg, "beyond"), 0);
    check_count(row, step, "unseen",
                cp_svg_count(svg, "rect", "input unseen") + cp_svg_count(svg, "rect", "padding unseen"), row->unseen);
    check_count(row, step, "kernel", cp_svg_count(svg, "rect", "taps"), row->kernel * row->kernel);
}

static void check_guide_step(const struct guide *row, int step)
{
    int steps = row->output * row->output;
    struct cp_test_exchange exchange;
    struct cp_svg svg;
    char query[128], note[64];
    (void)snprintf(query, sizeof query, "%s&step=%d", row->query, step);
    open_figure(&exchange, &svg, query);
    check_guide_cells(row, step, &svg);
    check_count(row, step, "made", cp_svg_count(&svg, "rect", "made"), step - 1);
    check_count(row, step, "now", cp_svg_count(&svg, "rect", "now"), 1);
    check_count(row, step, "blank", cp_svg_count(&svg, "rect", "blank"), steps - step);
    (void)snprintf(note, sizeof note, "Relationship %d  ·  step %d of %d<", row->relationship, step, steps);
    if (!cp_test_holds(exchange.reply.body, note)) fail_msg("%s lacks: %s", row->name, note);
    close_figure(&exchange, &svg);
}

static void test_guide(void **state)
{
    (void)state;
    for (size_t at = 0; at < GUIDE_COUNT; at++) {
        int steps = guide[at].output * guide[at].output;
        struct cp_test_exchange exchange;
        char query[128];
        for (int step = 1; step <= steps; step++) check_guide_step(&guide[at], step);
        (void)snprintf(query, sizeof query, "%s&step=%d", guide[at].query, steps + 1);
        ask_figure(&exchange, query);
        assert_int_equal(exchange.reply.status, 422);
        assert_true(cp_test_is_string(cp_test_at(exchange.reply.body, "/errors/0/pointer"), "/step"));
        cp_test_close(&exchange);
    }
}

/* Animated: the first step, and all that comes later hidden until its time. */
static void test_guide_animated(void **state)
{
    (void)state;
    for (size_t at = 0; at < GUIDE_COUNT; at++) {
        const struct guide *row = &guide[at];
        int steps = row->output * row->output;
        struct cp_test_exchange exchange;
        struct cp_svg svg;
        open_figure(&exchange, &svg, row->query);
        check_guide_cells(row, 0, &svg);
        check_count(row, 0, "blank", cp_svg_count(&svg, "rect", "blank"), steps);
        check_count(row, 0, "now", cp_svg_count(&svg, "rect", "now"), 1);
        check_count(row, 0, "made", cp_svg_count(&svg, "rect", "made"), steps);
        check_count(row, 0, "rows hidden", cp_svg_count(&svg, "g", "row later"), row->output - 1);
        check_count(row, 0, "columns hidden", cp_svg_count(&svg, "g", "column later"), row->output - 1);
        check_count(row, 0, "cone of the first step", cp_svg_count(&svg, "path", "cone"), 1);
        check_count(row, 0, "cones hidden", cp_svg_count(&svg, "path", "cone later"), steps - 1);
        struct cp_text style = cp_svg_first(&svg, "style")->text;
        if (!cp_test_holds(style, "@media (prefers-reduced-motion:no-preference){\n.down{animation:"))
            fail_msg("%s: motion is not asked for", row->name);
        close_figure(&exchange, &svg);
    }
}

/* The figure that each relationship links to, with the output that its example says. */
static void test_links(void **state)
{
    (void)state;
    struct cp_test_exchange list;
    cp_test_get(&list, "/v1/relationships");
    for (int at = 0; at < CP_RELATIONSHIP_COUNT; at++) {
        struct cp_text link = cp_test_atf(list.reply.body, "/relationships/%d/figure", at);
        long long output = cp_test_number(cp_test_atf(list.reply.body, "/relationships/%d/example/o", at));
        struct cp_test_exchange exchange;
        struct cp_svg svg;
        char query[128], wanted[64];
        static const char path[] = "\"/v1/figure.svg?";
        assert_memory_equal(link.bytes, path, sizeof path - 1);
        (void)snprintf(query, sizeof query, "%.*s", (int)(link.size - sizeof path), link.bytes + sizeof path - 1);
        open_figure(&exchange, &svg, query);
        assert_int_equal(cp_svg_count(&svg, "rect", "blank"), output * output);
        (void)snprintf(wanted, sizeof wanted, "Relationship %d  ·  %lld step", at + 1, output * output);
        if (!cp_test_holds(exchange.reply.body, wanted)) fail_msg("%s lacks %s", query, wanted);
        close_figure(&exchange, &svg);
    }
    cp_test_close(&list);
}

/* ---- Other sizes --------------------------------------------------------------------------------------------------- */

/* What is in a picture, by class. */
static const struct other {
    const char *name, *query;
    int input, cropped, zeros, extra, padding, beyond, unseen, blank, taps;
} others[] = {
    {"not square", "op=conv&i=5,7&k=2,3&s=1,2&p=0:1,2:0&step=1", 35, 0, 0, 0, 6 * 9 - 35, 0, 0, 19, 6},
    {"encoded separators", "op=conv&i=5%2C7&k=2%2c3&s=1,2&p=0%3A1,2%3a0&step=1", 35, 0, 0, 0, 6 * 9 - 35, 0, 0, 19, 6},
    {"empty parts of the query", "&op=conv&&i=5&k=3&step=1&", 25, 0, 0, 0, 0, 0, 0, 8, 9},
    {"one axis", "op=conv&axes=1&i=7&k=3&s=2&step=1", 7, 0, 0, 0, 0, 0, 0, 2, 3},
    {"one axis, transposed", "op=conv_transpose&axes=1&i=3&k=3&s=3&a=2&p=1&step=1", 3, 0, 4, 2, 2, 0, 0, 8, 3},
    {"negative p′ crops", "op=conv_transpose&i=4&k=3&s=2&p=3&step=1", 16, 4 * 7 - 4, 33, 0, 0, 0, 0, 8, 9},
    {"one cell", "op=conv&i=1&k=1&step=1", 1, 0, 0, 0, 0, 0, 0, 0, 1},
    {"a pool's stride is its window", "op=pool&i=6&k=2&step=1", 36, 0, 0, 0, 0, 0, 0, 8, 4},
    {"a pool that leaves a row over", "op=pool&i=5&k=2&step=1", 25, 0, 0, 0, 0, 0, 9, 3, 4},
    {"a pool rounded up", "op=pool&i=5&k=2&ceil_mode=true&step=1", 25, 0, 0, 0, 0, 11, 0, 8, 4},
    {"a pool's last window in the padding is dropped", "op=pool&axes=1&i=5&k=3&s=3&p=1&ceil_mode=true&step=1", 5, 0, 0,
     0, 2, 0, 1, 1, 3},
    {"windows with gaps", "op=conv&axes=1&i=7&k=1&s=3&step=1", 7, 0, 0, 0, 0, 0, 4, 2, 1},
    {"dilation's gaps", "op=conv&axes=1&i=3&k=2&d=2&step=1", 3, 0, 0, 0, 0, 0, 1, 0, 2},
    {"same", "op=conv&i=4&k=2&p=same&step=1", 16, 0, 0, 0, 9, 0, 0, 15, 4},
    {"same_upper", "op=conv&i=5&k=2&s=2&p=same_upper&step=1", 25, 0, 0, 0, 11, 0, 0, 8, 4},
    {"same_upper, transposed: the end is extended", "op=conv_transpose&axes=1&i=2&k=1&s=2&p=same_upper&step=1", 2, 0, 1,
     0, 1, 0, 0, 3, 1},
    {"full", "op=conv&i=3&k=3&p=full&step=1", 9, 0, 0, 0, 40, 0, 0, 24, 9},
    {"what the operation lacks, as nothing", "op=conv&i=5&k=3&a=0&ceil_mode=false&step=1", 25, 0, 0, 0, 0, 0, 0, 8, 9},
    {"and on each axis", "op=conv&i=5&k=3&a=0,0&step=1", 25, 0, 0, 0, 0, 0, 0, 8, 9},
    {"and of a pool", "op=pool&i=5&k=3&s=1&a=00,0&step=1", 25, 0, 0, 0, 0, 0, 0, 8, 9},
    {"nothing beside SAME, on each axis", "op=conv_transpose&i=2&k=2&s=2&a=0,0&p=same_upper&step=1", 4, 0, 5, 0, 16, 0,
     0, 15, 4},
};

static int cells_with(const struct cp_svg *svg, const char *word)
{
    int count = 0;
    for (size_t at = 0; at < svg->count; at++)
        count += strcmp(svg->elements[at].name, "rect") == 0 && strstr(svg->elements[at].classes, word) != NULL;
    return count;
}

static void test_others(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof others / sizeof others[0]; at++) {
        const struct other *row = &others[at];
        struct cp_test_exchange exchange;
        struct cp_svg svg;
        open_figure(&exchange, &svg, row->query);
        const int expected[] = {row->input,  row->cropped, row->zeros, row->extra, row->padding,
                                row->beyond, row->unseen,  row->blank, row->taps,  1};
        static const char *const names[] = {"input",  "cropped", "zero",  "extra", "padding",
                                            "beyond", "unseen",  "blank", "taps",  "now"};
        for (size_t name = 0; name < sizeof names / sizeof names[0]; name++) {
            int actual = cells_with(&svg, names[name]);
            if (actual != expected[name])
                fail_msg("%s: %s: %d, not %d", row->name, names[name], actual, expected[name]);
        }
        close_figure(&exchange, &svg);
    }
}

/* ---- What the picture says ----------------------------------------------------------------------------------------- */

static const struct saying {
    const char *query, *words;
} sayings[] = {
    {"op=conv&i=5&k=3&s=2&p=1&step=5", "Blue is the input: 5 × 5. Green is the output: 3 × 3"},
    {"op=conv&i=5&k=3&s=2&p=1&step=5", "Step 5 of 9: the window gives the output's unit in row 2, column 2."},
    {"op=conv&i=5&k=3&s=2&p=1", "p is the padding of this convolution"},
    {"op=conv&i=5&k=3&s=2&p=1", "o = ⌊(i + 2p − k)/s⌋ + 1 = ⌊(5 + 2·1 − 3)/2⌋ + 1 = 3"},
    {"op=conv_transpose&i=3&k=3&s=2&p=1&a=1", "input i′: 3 × 3, stretched to 5 × 5"},
    {"op=conv_transpose&i=3&k=3&s=2&p=1&a=1",
     "p = 1 is the padding of the convolution that is transposed; here p′ = k − p − 1 = 1"},
    {"op=conv_transpose&i=3&k=3&s=2&p=1&a=1", "kernel flipped"},
    {"op=conv_transpose&i=4&k=3&p=3:2,1:2&d=2,1", "here p′ = k̂ − p − 1 = (1, 2) × (1, 0)"},
    {"op=conv_transpose&i=4&k=3&s=2&p=3", "here p′ = k − p − 1 = −1"},
    {"op=pool&i=5&k=3&p=1", "p is the padding of the pool"},
    {"op=pool&i=5,6&k=3&s=1", "<title id=\"title\">Pooling: i = 5 × 6, k = 3, s = 1, p = 0  →  o = 3 × 4</title>"},
    {"op=conv&i=5&k=3", " role=\"img\" aria-labelledby=\"title description\">"},
    {"op=conv&i=5&k=3", "@media (prefers-color-scheme:dark)"},
};

static void test_words(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof sayings / sizeof sayings[0]; at++) {
        struct cp_test_exchange exchange;
        struct cp_svg svg;
        open_figure(&exchange, &svg, sayings[at].query);
        if (!cp_test_holds(exchange.reply.body, sayings[at].words))
            fail_msg("%s lacks: %s", sayings[at].query, sayings[at].words);
        close_figure(&exchange, &svg);
    }
}

static void test_theme(void **state)
{
    (void)state;
    struct cp_test_exchange light, dark;
    ask_figure(&light, "op=conv&i=5&k=3&theme=light");
    ask_figure(&dark, "op=conv&i=5&k=3&theme=dark");
    assert_int_equal(light.reply.status, 200);
    assert_int_equal(dark.reply.status, 200);
    assert_false(cp_test_holds(light.reply.body, "prefers-color-scheme"));
    assert_false(cp_test_holds(dark.reply.body, "prefers-color-scheme"));
    assert_true(cp_test_holds(light.reply.body, ".paper{fill:#ffffff}"));
    assert_true(cp_test_holds(dark.reply.body, ".paper{fill:#12171d}"));
    assert_string_equal(light.reply.headers[0].name, "Cache-Control");
    cp_test_close(&light);
    cp_test_close(&dark);
}

/* ---- Asking wrongly ------------------------------------------------------------------------------------------------ */

static const struct wrong {
    const char *name, *query;
    int status, errors;
    const char *code, *pointer; /* of the first error */
} wrongs[] = {
    {"nothing", "", 422, 3, "missing_parameter", ""},
    {"an unknown parameter", "op=conv&i=5&k=3&stride=2", 422, 1, "unknown_parameter", "/stride"},
    {"another case", "op=conv&i=5&K=3&k=3", 422, 1, "unknown_parameter", "/K"},
    {"twice", "op=conv&i=5&k=3&k=3", 422, 1, "duplicate_parameter", "/k"},
    {"an unknown operation", "op=dense&i=5&k=3", 422, 1, "unknown_word", "/op"},
    {"a broken escape", "op=conv&i=%5&k=3", 400, 1, "bad_request", ""},
    {"an escaped zero byte", "op=conv&i=5%00&k=3", 400, 1, "bad_request", ""},
    {"no digits", "op=conv&i=five&k=3", 422, 1, "wrong_type", "/i"},
    {"nothing as a number", "op=conv&i=&k=3", 422, 1, "wrong_type", "/i"},
    {"no value", "op=conv&i&k=3", 422, 1, "wrong_type", "/i"},
    {"a fraction", "op=conv&i=5.5&k=3", 422, 1, "wrong_type", "/i"},
    {"a sign", "op=conv&i=%2B5&k=3", 422, 1, "wrong_type", "/i"},
    {"a space", "op=conv&i=5,+6&k=3", 422, 1, "wrong_type", "/i"},
    {"an open list", "op=conv&i=5,&k=3", 422, 1, "wrong_type", "/i"},
    {"three axes", "op=conv&i=5,5,5&k=3", 422, 1, "wrong_length", "/i"},
    {"two values for one axis", "op=conv&axes=1&i=5,5&k=3", 422, 1, "wrong_length", "/i"},
    {"sides where there are none", "op=conv&i=5:6&k=3", 422, 1, "wrong_type", "/i"},
    {"three sides", "op=conv&i=5&k=3&p=1:2:3", 422, 1, "wrong_type", "/p"},
    {"no such word", "op=conv&i=5&k=3&p=sames", 422, 1, "unknown_word", "/p"},
    {"a word that transposed layers lack", "op=conv_transpose&i=5&k=3&p=same", 422, 1, "unknown_word", "/p"},
    {"an input of nothing", "op=conv&i=0&k=3", 422, 1, "out_of_range", "/i"},
    {"a stride of 0", "op=conv&i=5&k=3&s=0", 422, 1, "out_of_range", "/s"},
    {"a dilation of 0", "op=conv&i=5&k=3&d=0", 422, 1, "out_of_range", "/d"},
    {"negative padding", "op=conv&i=5&k=3&p=-1", 422, 1, "out_of_range", "/p"},
    {"over 2^53 − 1", "op=conv&i=9007199254740992&k=3", 422, 1, "out_of_range", "/i"},
    {"over 2^64", "op=conv&i=99999999999999999999999&k=3", 422, 1, "out_of_range", "/i"},
    {"three dimensions", "op=conv&i=5&k=3&axes=3", 422, 1, "out_of_range", "/axes"},
    {"step 0", "op=conv&i=5&k=3&step=0", 422, 1, "out_of_range", "/step"},
    {"a step before", "op=conv&i=5&k=3&step=-1", 422, 1, "out_of_range", "/step"},
    {"a step past the last", "op=conv&i=5&k=3&step=10", 422, 1, "out_of_range", "/step"},
    {"output padding of a convolution", "op=conv&i=5&k=3&a=1", 422, 1, "out_of_range", "/a"},
    {"output padding of a pool, on one axis", "op=pool&i=5&k=3&a=0,1", 422, 1, "out_of_range", "/a"},
    {"no output padding, of too many axes", "op=conv&i=5&k=3&a=0,0,0", 422, 1, "wrong_length", "/a"},
    {"no output padding, on two of one", "op=conv&axes=1&i=5&k=3&a=0,0", 422, 1, "wrong_length", "/a"},
    {"no output padding, in words", "op=conv&i=5&k=3&a=false", 422, 1, "wrong_type", "/a"},
    {"no output padding, in no words", "op=conv&i=5&k=3&a=", 422, 1, "wrong_type", "/a"},
    {"no rounding, in numbers", "op=conv&i=5&k=3&ceil_mode=0", 422, 1, "unknown_word", "/ceil_mode"},
    {"rounding of a convolution", "op=conv&i=5&k=3&ceil_mode=true", 422, 1, "out_of_range", "/ceil_mode"},
    {"no boolean", "op=pool&i=5&k=3&ceil_mode=1", 422, 1, "unknown_word", "/ceil_mode"},
    {"no theme", "op=conv&i=5&k=3&theme=blue", 422, 1, "unknown_word", "/theme"},
    {"a kernel larger than its input", "op=conv&axes=1&i=2&k=3&s=2", 422, 1, "kernel_exceeds_input", "/k"},
    {"the same on both axes", "op=conv&i=2&k=3", 422, 2, "kernel_exceeds_input", "/k"},
    {"a crop that leaves nothing", "op=conv_transpose&axes=1&i=1&k=1&p=1", 422, 1, "empty_output", "/p"},
    {"output padding of a stride", "op=conv_transpose&axes=1&i=3&k=3&s=2&a=2", 422, 1, "output_padding_too_large",
     "/a"},
    {"SAME and output padding", "op=conv_transpose&i=3&k=3&s=2&a=1&p=same_upper", 422, 1, "conflicting_members", "/a"},
    {"same with a stride", "op=conv&axes=1&i=5&k=3&s=2&p=same", 422, 1, "same_needs_unit_stride", "/p"},
    {"a pool with too much padding", "op=pool&axes=1&i=5&k=3&p=2", 422, 1, "pool_padding_too_large", "/p"},
    {"too many cells", "op=conv&i=224&k=7&s=2&p=3", 422, 1, "figure_too_large", "/i"},
    {"too many cells, and past their last step", "op=conv&i=224&k=7&s=2&p=3&step=99999", 422, 2, "figure_too_large",
     "/i"},
    {"more cells than can be counted", "op=conv&i=9007199254740991&k=1", 422, 1, "figure_too_large", "/i"},
    {"a size that overflows", "op=conv_transpose&axes=1&i=9007199254740991&k=3&s=3", 422, 1, "size_overflow", NULL},
    {"much at once", "op=cov&i=0&k=x&s=1,2,3&p=y&foo=1&step=z&theme=t", 422, 8, "unknown_parameter", "/foo"},
};

static void test_wrong(void **state)
{
    (void)state;
    int failed = 0;
    for (size_t at = 0; at < sizeof wrongs / sizeof wrongs[0]; at++) {
        const struct wrong *row = &wrongs[at];
        struct cp_test_exchange exchange;
        ask_figure(&exchange, row->query);
        struct cp_text body = exchange.reply.body;
        bool right = exchange.reply.status == row->status &&
                     cp_test_count(cp_test_at(body, "/errors")) == row->errors &&
                     cp_test_is_string(cp_test_at(body, "/errors/0/code"), row->code) &&
                     (!row->pointer || cp_test_is_string(cp_test_at(body, "/errors/0/pointer"), row->pointer));
        if (!right) print_error("%s: %d %.*s\n", row->name, exchange.reply.status, (int)body.size, body.bytes);
        failed += !right;
        cp_test_close(&exchange);
    }
    if (failed) fail_msg("%d rows failed", failed);
}

/* The largest figure is drawn, one cell more is not, and the figure that is suggested instead can be drawn. */
static void test_limit(void **state)
{
    (void)state;
    struct cp_test_exchange exchange;
    struct cp_svg svg;
    char query[64];
    (void)snprintf(query, sizeof query, "op=conv&axes=1&i=%d&k=1", CP_MAX_FIGURE_CELLS / 2);
    open_figure(&exchange, &svg, query);
    assert_int_equal(cp_svg_count(&svg, "rect", "input"), CP_MAX_FIGURE_CELLS / 2);
    close_figure(&exchange, &svg);
    (void)snprintf(query, sizeof query, "op=conv&axes=1&i=%d&k=1", CP_MAX_FIGURE_CELLS / 2 + 1);
    ask_figure(&exchange, query);
    assert_int_equal(exchange.reply.status, 422);
    cp_test_close(&exchange);
    ask_figure(&exchange, "op=conv&i=225,300&k=7&s=2&p=3");
    assert_true(cp_test_is_string(cp_test_at(exchange.reply.body, "/errors/0/suggestion"), "i=5,6 shows the same"));
    cp_test_close(&exchange);
    ask_figure(&exchange, "op=conv&i=5,6&k=7&s=2&p=3");
    assert_int_equal(exchange.reply.status, 200);
    cp_test_close(&exchange);
}

/* A large figure is left to a thread that may take its time; a small one is not. */
static void test_brief(void **state)
{
    (void)state;
    struct cp_request request = {.method = CP_GET,
                                 .method_name = CP_TEXT("GET"),
                                 .path = CP_TEXT("/v1/figure.svg"),
                                 .query = CP_TEXT("op=conv&i=5&k=3"),
                                 .brief = true};
    struct cp_test_exchange exchange;
    cp_test_ask(&exchange, &request);
    assert_false(exchange.reply.deferred);
    assert_int_equal(exchange.reply.status, 200);
    cp_test_close(&exchange);
    request.query = CP_TEXT("op=conv&i=80&k=1");
    cp_test_ask(&exchange, &request);
    assert_true(exchange.reply.deferred);
    cp_test_close(&exchange);
}

/* Ruled out by the Accept header: a problem, which has none of the picture's headers. */
static void test_accept(void **state)
{
    (void)state;
    struct cp_request request = {.method = CP_GET,
                                 .method_name = CP_TEXT("GET"),
                                 .path = CP_TEXT("/v1/figure.svg"),
                                 .query = CP_TEXT("op=conv&i=5&k=3"),
                                 .accept = CP_TEXT("text/html")};
    struct cp_test_exchange exchange;
    cp_test_ask(&exchange, &request);
    assert_int_equal(exchange.reply.status, 406);
    assert_int_equal(exchange.reply.header_count, 0);
    cp_test_close(&exchange);
    request.accept = CP_TEXT("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8");
    cp_test_ask(&exchange, &request);
    assert_int_equal(exchange.reply.status, 200);
    assert_int_equal(exchange.reply.header_count, 1);
    cp_test_close(&exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guide),  cmocka_unit_test(test_guide_animated), cmocka_unit_test(test_links),
        cmocka_unit_test(test_others), cmocka_unit_test(test_words),          cmocka_unit_test(test_theme),
        cmocka_unit_test(test_wrong),  cmocka_unit_test(test_limit),          cmocka_unit_test(test_brief),
        cmocka_unit_test(test_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
