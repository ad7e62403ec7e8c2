/* What a figure shows is what the operation computes: for random parameters and every step, the units of the input under
 * the window and the weights that they meet are those of the definition, found by brute force. For a transposed
 * convolution the definition scatters (unit y, weight u ↦ output s·y + d·u − p), so that stretching, p′, cropping and
 * the flipped kernel of its figure are all judged by something that knows none of them. */
#include "tests/property/random.h"
#include "tests/service_client.h"
#include "tests/svg_reader.h"

enum { AXES = 2, MOST_TERMS = 256 };

struct parameters {
    int axes; /* 1: the first is not there, all 1 */
    bool transposed, pool;
    int input[AXES], kernel[AXES], stride[AXES], begin[AXES], end[AXES], dilation[AXES], extra[AXES], output[AXES];
};

/* A unit of the input and the weight that it is multiplied with. */
struct term {
    int unit[AXES], weight[AXES];
};

struct terms {
    struct term at[MOST_TERMS];
    int count;
};

/* ---- The definition ------------------------------------------------------------------------------------------------ */

static bool meets(const struct parameters *parameters, int axis, int unit, int weight, int output)
{
    int small = parameters->transposed ? unit : output, large = parameters->transposed ? output : unit;
    return small * parameters->stride[axis] + weight * parameters->dilation[axis] - parameters->begin[axis] == large;
}

static void find_terms(const struct parameters *parameters, const int output[AXES], struct terms *terms)
{
    const int *input = parameters->input, *kernel = parameters->kernel;
    terms->count = 0;
    for (int y = 0; y < input[0]; y++)
        for (int x = 0; x < input[1]; x++)
            for (int v = 0; v < kernel[0]; v++)
                for (int u = 0; u < kernel[1]; u++)
                    if (meets(parameters, 0, y, v, output[0]) && meets(parameters, 1, x, u, output[1]))
                        terms->at[terms->count++] = (struct term){{y, x}, {v, u}};
}

/* ---- The figure ---------------------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const struct cp_svg_element *p = a, *q = b;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    return p->x < q->x ? -1 : p->x > q->x;
}

/* Cells whose classes begin with `kind`, in reading order; returns how many. */
static int find_cells(const struct cp_svg *svg, const char *kind, struct cp_svg_element *cells)
{
    int count = 0;
    for (size_t at = 0; at < svg->count; at++)
        if (strcmp(svg->elements[at].name, "rect") == 0 && strncmp(svg->elements[at].classes, kind, strlen(kind)) == 0)
            cells[count++] = svg->elements[at];
    qsort(cells, (size_t)count, sizeof *cells, by_place);
    return count;
}

/* Of each cell of the window that lies on a unit: which, and the weight written on it. */
static void read_terms(const struct parameters *parameters, const struct cp_svg *svg,
                       const struct cp_svg_element *units, int unit_count, struct terms *terms)
{
    terms->count = 0;
    for (size_t at = 0; at + 1 < svg->count; at++) {
        const struct cp_svg_element *tap = &svg->elements[at];
        if (strcmp(tap->name, "rect") != 0 || strcmp(tap->classes, "taps") != 0) continue;
        struct term term = {{0, 0}, {0, 0}};
        const char *digits = svg->elements[at + 1].text.bytes;
        if (!parameters->pool && parameters->axes == 2) term.weight[0] = *digits++ - '0';
        if (!parameters->pool) term.weight[1] = *digits - '0';
        for (int unit = 0; unit < unit_count; unit++) {
            if (units[unit].x != tap->x || units[unit].y != tap->y) continue;
            assert_null(strstr(units[unit].classes, "unseen"));
            assert_null(strstr(units[unit].classes, "cropped"));
            term.unit[0] = unit / parameters->input[1];
            term.unit[1] = unit % parameters->input[1];
            terms->at[terms->count++] = term;
        }
    }
}

static int by_term(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct term));
}

static bool same_terms(const struct parameters *parameters, struct terms *a, struct terms *b)
{
    for (int at = 0; parameters->pool && at < b->count; at++) memset(b->at[at].weight, 0, sizeof b->at[at].weight);
    qsort(a->at, (size_t)a->count, sizeof a->at[0], by_term);
    qsort(b->at, (size_t)b->count, sizeof b->at[0], by_term);
    return a->count == b->count && memcmp(a->at, b->at, (size_t)a->count * sizeof a->at[0]) == 0;
}

/* ---- Cases --------------------------------------------------------------------------------------------------------- */

/* Small enough for the figure to write the weights: 22 cells on an axis. */
static void draw_axis(struct cp_random *random, struct parameters *parameters, int axis)
{
    int stride = cp_random_within(random, 1, 3), dilation = cp_random_within(random, 1, 2);
    int span = 0;
    parameters->stride[axis] = stride;
    parameters->dilation[axis] = dilation;
    for (parameters->output[axis] = 0; parameters->output[axis] < 1;) {
        int kernel = cp_random_within(random, 1, 3);
        int input = cp_random_within(random, 1, parameters->transposed ? 4 : 7);
        span = dilation * (kernel - 1) + 1;
        parameters->kernel[axis] = kernel;
        parameters->input[axis] = input;
        parameters->begin[axis] = cp_random_within(random, 0, parameters->pool ? span / 2 : 4);
        parameters->end[axis] = cp_random_within(random, 0, parameters->pool ? span / 2 : 4);
        parameters->extra[axis] =
            parameters->transposed ? cp_random_within(random, 0, (stride > dilation ? stride : dilation) - 1) : 0;
        int padding = parameters->begin[axis] + parameters->end[axis];
        if (parameters->transposed)
            parameters->output[axis] = stride * (input - 1) + span - padding + parameters->extra[axis];
        else if (input + padding >= span)
            parameters->output[axis] = (input + padding - span) / stride + 1;
    }
}

static struct parameters random_parameters(struct cp_random *random)
{
    int operation = cp_random_within(random, 0, 4);
    struct parameters parameters = {
        .axes = cp_random_within(random, 1, 2), .transposed = operation < 2, .pool = operation == 4};
    for (int axis = 0; axis < AXES; axis++) draw_axis(random, &parameters, axis);
    if (parameters.axes == 2) return parameters;
    parameters.input[0] = parameters.kernel[0] = parameters.stride[0] = parameters.dilation[0] = parameters.output[0] =
        1;
    parameters.begin[0] = parameters.end[0] = parameters.extra[0] = 0;
    return parameters;
}

static void add_list(FILE *query, const struct parameters *parameters, const char *name, const int *values)
{
    if (parameters->axes == 2)
        (void)fprintf(query, "&%s=%d,%d", name, values[0], values[1]);
    else
        (void)fprintf(query, "&%s=%d", name, values[1]);
}

static void write_query(FILE *query, const struct parameters *parameters, int step)
{
    (void)fprintf(query, "op=%s&axes=%d&step=%d",
                  parameters->pool         ? "pool"
                  : parameters->transposed ? "conv_transpose"
                                           : "conv",
                  parameters->axes, step);
    add_list(query, parameters, "i", parameters->input);
    add_list(query, parameters, "k", parameters->kernel);
    add_list(query, parameters, "s", parameters->stride);
    add_list(query, parameters, "d", parameters->dilation);
    if (parameters->transposed) add_list(query, parameters, "a", parameters->extra);
    if (parameters->axes == 2)
        (void)fprintf(query, "&p=%d:%d,%d:%d", parameters->begin[0], parameters->end[0], parameters->begin[1],
                      parameters->end[1]);
    else
        (void)fprintf(query, "&p=%d:%d", parameters->begin[1], parameters->end[1]);
}

/* The unit that is made stands where its step says among all of the output. */
static void check_made(const struct cp_svg *svg, const struct parameters *parameters, int step)
{
    struct cp_svg_element cells[3 * 1024];
    int count = find_cells(svg, "made", cells);
    count += find_cells(svg, "now", cells + count);
    count += find_cells(svg, "blank", cells + count);
    assert_int_equal(count, parameters->output[0] * parameters->output[1]);
    qsort(cells, (size_t)count, sizeof *cells, by_place);
    assert_string_equal(cells[step - 1].classes, "now");
}

static void check_step(const struct parameters *parameters, int step)
{
    struct cp_test_text query;
    struct cp_test_exchange exchange;
    struct cp_svg svg;
    struct cp_svg_element units[64];
    static struct terms shown, wanted;
    write_query(cp_test_begin(&query), parameters, step);
    const struct cp_request request = {.method = CP_GET,
                                       .method_name = CP_TEXT("GET"),
                                       .path = CP_TEXT("/v1/figure.svg"),
                                       .query = cp_test_finish(&query)};
    cp_test_ask(&exchange, &request);
    if (exchange.reply.status != 200)
        fail_msg("%s: %.*s", query.bytes, (int)exchange.reply.body.size, exchange.reply.body.bytes);
    cp_svg_open(&svg, exchange.reply.body);
    int unit_count = find_cells(&svg, "input", units);
    assert_int_equal(unit_count, parameters->input[0] * parameters->input[1]);
    read_terms(parameters, &svg, units, unit_count, &shown);
    find_terms(parameters, (int[]){(step - 1) / parameters->output[1], (step - 1) % parameters->output[1]}, &wanted);
    if (!same_terms(parameters, &shown, &wanted))
        fail_msg("%s: %d units under the window, %d in the definition, or others", query.bytes, shown.count,
                 wanted.count);
    check_made(&svg, parameters, step);
    cp_svg_close(&svg);
    cp_test_close(&exchange);
    cp_test_free(&query);
}

static void test_windows(void **state)
{
    (void)state;
    enum { CASES = 150 };
    struct cp_random random = {20240611};
    for (int at = 0; at < CASES; at++) {
        struct parameters parameters = random_parameters(&random);
        int steps = parameters.output[0] * parameters.output[1];
        int stride = 1 + steps / 8; /* some of them, the first and the last among them */
        for (int step = 1; step <= steps; step += stride) check_step(&parameters, step);
        check_step(&parameters, steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_windows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
