/* Properties of whole plans, over random networks with a fixed seed. A failing case prints its request. */
#include <stdint.h>

#include "tests/service_client.h"

/* ---- Chance -------------------------------------------------------------------------------------------------------- */

/* splitmix64 */
static uint64_t chance;

static uint64_t next_random(void)
{
    uint64_t bits = chance += 0x9e3779b97f4a7c15u;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
    return bits ^ bits >> 31;
}

static int between(int least, int most)
{
    return least + (int)(next_random() % (uint64_t)(most - least + 1));
}

static bool one_in(int many)
{
    return between(1, many) == 1;
}

/* ---- Networks ------------------------------------------------------------------------------------------------------ */

enum { MOST_LAYERS = 14, MOST_INPUTS = 3, MOST_DIMS = 5, MOST_SOURCES = 4, LAYER_BYTES = 512 };

struct shape {
    int rank;
    long long size[MOST_DIMS];
};

struct layer {
    int sources[MOST_SOURCES]; /* 0 … inputs − 1, then the layers */
    int source_count;
    char members[LAYER_BYTES]; /* type and parameters; without name, from, and the lists with one value per axis */
    struct shape output;       /* as the service gives it */
};

/* Lists with one value per axis are kept apart, so that the axes can be permuted. */
struct axis_list {
    int layer;
    const char *member;
    int value[3];
};

struct network {
    int axes, inputs, layers, lists;
    struct shape input[MOST_INPUTS];
    struct layer layer[MOST_LAYERS];
    struct axis_list list[MOST_LAYERS * 4];
};

static void write_shape(FILE *file, const struct shape *shape)
{
    for (int dim = 0; dim < shape->rank; dim++) (void)fprintf(file, "%s%lld", dim ? ", " : "[", shape->size[dim]);
    (void)fputc(']', file);
}

static void write_source(FILE *file, const struct network *network, int source)
{
    if (source < network->inputs)
        (void)fprintf(file, "\"i%d\"", source);
    else
        (void)fprintf(file, "\"l%d\"", source - network->inputs);
}

/* Axis `axis` of what is written is axis order[axis] of the network. */
static void write_lists(FILE *file, const struct network *network, int layer, const int *order)
{
    for (int at = 0; at < network->lists; at++) {
        const struct axis_list *list = &network->list[at];
        if (list->layer != layer) continue;
        (void)fprintf(file, ", \"%s\": [", list->member);
        for (int axis = 0; axis < network->axes; axis++)
            (void)fprintf(file, "%s%d", axis ? ", " : "", list->value[order[axis]]);
        (void)fputc(']', file);
    }
}

/* Layers [begin, end) as a request. Sources before `begin` become inputs of their own. */
static void write_request(FILE *file, const struct network *network, int begin, int end, const int *order, int batch)
{
    (void)fprintf(file, "{\"inputs\": {");
    for (int source = 0; source < network->inputs + begin; source++) {
        struct shape shape =
            source < network->inputs ? network->input[source] : network->layer[source - network->inputs].output;
        struct shape permuted = shape;
        for (int axis = 0; axis + 2 < shape.rank && axis < 3; axis++)
            permuted.size[axis + 2] = shape.size[order[axis] + 2];
        permuted.size[0] *= batch;
        if (source) (void)fputs(", ", file);
        write_source(file, network, source);
        (void)fputs(": ", file);
        write_shape(file, &permuted);
    }
    (void)fprintf(file, "}, \"layers\": [");
    for (int at = begin; at < end; at++) {
        const struct layer *layer = &network->layer[at];
        (void)fprintf(file, "%s\n  {\"name\": \"l%d\", %s", at > begin ? ", " : "", at, layer->members);
        write_lists(file, network, at, order);
        (void)fprintf(file, ", \"from\": [");
        for (int edge = 0; edge < layer->source_count; edge++) {
            if (edge) (void)fputs(", ", file);
            write_source(file, network, layer->sources[edge]);
        }
        (void)fprintf(file, "]}");
    }
    (void)fprintf(file, "]}");
}

static const int in_order[] = {0, 1, 2};

static void ask(struct cp_test_exchange *exchange, const struct network *network, int begin, int end, const int *order,
                int batch)
{
    struct cp_test_text text;
    write_request(cp_test_begin(&text), network, begin, end, order, batch);
    cp_test_post(exchange, cp_test_finish(&text));
    if (exchange->reply.status != 200)
        fail_msg("%s\n%.*s", text.bytes, (int)exchange->reply.body.size, exchange->reply.body.bytes);
    cp_test_free(&text);
}

static void __attribute__((noreturn)) fail_network(const struct network *network, const char *what, int layer)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    write_request(cp_test_begin(&text), network, 0, network->layers, in_order, 1);
    cp_test_post(&exchange, cp_test_finish(&text));
    print_error("%s, layer %d\n%s\n%.*s\n", what, layer, text.bytes, (int)exchange.reply.body.size,
                exchange.reply.body.bytes);
    fail();
    abort();
}

/* False where the output is null. */
static bool read_output(struct cp_text answer, int layer, struct shape *shape)
{
    struct cp_text output = cp_test_atf(answer, "/layers/%d/output", layer);
    *shape = (struct shape){0};
    if (*output.bytes != '[') return false;
    shape->rank = cp_test_count(output);
    for (int dim = 0; dim < shape->rank && dim < MOST_DIMS; dim++)
        shape->size[dim] = cp_test_number(cp_test_atf(output, "/%d", dim));
    return true;
}

static bool same_shape(const struct shape *a, const struct shape *b)
{
    return a->rank == b->rank && memcmp(a->size, b->size, sizeof a->size) == 0;
}

/* ---- Drawing networks ---------------------------------------------------------------------------------------------- */

static void add_list(struct network *network, const char *member, int least, int most)
{
    struct axis_list *list = &network->list[network->lists++];
    *list = (struct axis_list){.layer = network->layers, .member = member};
    for (int axis = 0; axis < 3; axis++) list->value[axis] = between(least, most);
}

static const struct shape *shape_of(const struct network *network, int source)
{
    return source < network->inputs ? &network->input[source] : &network->layer[source - network->inputs].output;
}

/* A layer of one input, whose channels are `channels`. */
static void draw_single(struct network *network, struct layer *layer, long long channels)
{
    static const char *const pointwise[] = {"\"type\": \"ReLU\"", "\"type\": \"Dropout\", \"p\": 0.25",
                                            "\"type\": \"PReLU\"", "\"type\": \"LocalResponseNorm\", \"size\": 3"};
    char *text = layer->members;
    int axes = network->axes;
    switch (between(0, 9)) {
    case 0:
    case 1:
    case 2:
        (void)snprintf(text, LAYER_BYTES, "\"type\": \"Conv%dd\", \"out_channels\": %d, \"bias\": %s, \"groups\": %d",
                       axes, 2 * between(1, 4), one_in(2) ? "true" : "false", channels % 2 == 0 && one_in(3) ? 2 : 1);
        add_list(network, "kernel_size", 1, 4);
        add_list(network, "stride", 1, 2);
        add_list(network, "padding", 0, 2);
        add_list(network, "dilation", 1, 2);
        break;
    case 3:
        (void)snprintf(text, LAYER_BYTES, "\"type\": \"%sPool%dd\", \"ceil_mode\": %s", one_in(2) ? "Max" : "Avg", axes,
                       one_in(2) ? "true" : "false");
        add_list(network, "kernel_size", 2, 3);
        add_list(network, "stride", 1, 3);
        add_list(network, "padding", 0, 1);
        break;
    case 4:
        (void)snprintf(text, LAYER_BYTES, "\"type\": \"ConvTranspose%dd\", \"out_channels\": %d", axes, between(1, 6));
        add_list(network, "kernel_size", 2, 4);
        add_list(network, "stride", 1, 3);
        add_list(network, "padding", 0, 1);
        break;
    case 5: (void)snprintf(text, LAYER_BYTES, "\"type\": \"BatchNorm%dd\"", axes); break;
    case 6: (void)snprintf(text, LAYER_BYTES, "\"type\": \"Upsample\", \"scale_factor\": 2"); break;
    case 7:
        (void)snprintf(text, LAYER_BYTES, "\"type\": \"Conv%dd\", \"out_channels\": %d, \"padding\": \"same_%s\"", axes,
                       between(1, 6), one_in(2) ? "upper" : "lower");
        add_list(network, "kernel_size", 1, 4);
        add_list(network, "stride", 1, 3);
        break;
    default: (void)snprintf(text, LAYER_BYTES, "%s", pointwise[between(0, 3)]); break;
    }
}

/* A merge of sources that fit: Add of equal shapes, Concat of shapes that are equal but for the channels. */
static bool draw_merge(const struct network *network, struct layer *layer)
{
    int total = network->inputs + network->layers;
    bool concat = one_in(2);
    const struct shape *first = shape_of(network, layer->sources[0]);
    for (int tries = 0; tries < 20 && layer->source_count < MOST_SOURCES; tries++) {
        int source = between(0, total - 1);
        struct shape other = *shape_of(network, source);
        if (concat) other.size[1] = first->size[1];
        if (same_shape(first, &other)) layer->sources[layer->source_count++] = source;
    }
    if (layer->source_count == 1) return false;
    (void)snprintf(layer->members, LAYER_BYTES, "\"type\": \"%s\"", concat ? "Concat" : one_in(2) ? "Add" : "Mul");
    return true;
}

/* Add a layer; one that does not work out is left out again. */
static void draw_layer(struct network *network)
{
    struct layer *layer = &network->layer[network->layers];
    struct cp_test_exchange exchange;
    int lists = network->lists;
    int total = network->inputs + network->layers;
    *layer = (struct layer){.source_count = 1};
    layer->sources[0] = one_in(2) ? total - 1 : between(0, total - 1);
    if (!one_in(3) || !draw_merge(network, layer))
        draw_single(network, layer, shape_of(network, layer->sources[0])->size[1]);
    network->layers++;
    ask(&exchange, network, 0, network->layers, in_order, 1);
    if (!read_output(exchange.reply.body, network->layers - 1, &layer->output)) {
        network->layers--;
        network->lists = lists;
    }
    cp_test_close(&exchange);
}

static void draw_network(struct network *network)
{
    *network = (struct network){.axes = between(1, 3), .inputs = one_in(3) ? between(2, MOST_INPUTS) : 1};
    for (int input = 0; input < network->inputs; input++) {
        struct shape *shape = &network->input[input];
        shape->rank = network->axes + 2;
        if (input && one_in(2)) {
            *shape = network->input[0];
            continue;
        }
        shape->size[0] = network->input[0].size[0] ? network->input[0].size[0] : between(1, 3);
        shape->size[1] = 2 * between(1, 3);
        for (int axis = 0; axis < network->axes; axis++) shape->size[axis + 2] = between(5, 17);
    }
    for (int tries = between(4, MOST_LAYERS); tries > 0; tries--) draw_layer(network);
}

/* ---- What holds of each -------------------------------------------------------------------------------------------- */

/* A stack that is split in two gives what the whole gives, wherever it is split. */
static void check_split(const struct network *network, struct cp_text whole)
{
    static const char *const same[] = {"output", "params", "macs", "output_bytes", "relationship"};
    int cut = between(0, network->layers - 1);
    struct cp_test_exchange part;
    ask(&part, network, cut, network->layers, in_order, 1);
    for (int at = cut; at < network->layers; at++)
        for (size_t member = 0; member < sizeof same / sizeof same[0]; member++) {
            struct cp_text a = cp_test_atf(whole, "/layers/%d/%s", at, same[member]);
            struct cp_text b = cp_test_atf(part.reply.body, "/layers/%d/%s", at - cut, same[member]);
            if (!cp_text_equal(a, b)) fail_network(network, "the second part differs", at);
        }
    cp_test_close(&part);
}

/* Every layer by itself, with its inputs given, gives the same output. */
static void check_single_layers(const struct network *network, struct cp_text whole)
{
    for (int at = 0; at < network->layers; at++) {
        struct cp_test_exchange alone;
        ask(&alone, network, at, at + 1, in_order, 1);
        if (!cp_text_equal(cp_test_atf(whole, "/layers/%d/output", at), cp_test_at(alone.reply.body, "/output")))
            fail_network(network, "a layer by itself differs", at);
        cp_test_close(&alone);
    }
}

static void check_batch(const struct network *network, struct cp_text whole)
{
    enum { TIMES = 7 };
    struct cp_test_exchange larger;
    ask(&larger, network, 0, network->layers, in_order, TIMES);
    for (int at = 0; at < network->layers; at++) {
        struct shape shape;
        if (!read_output(larger.reply.body, at, &shape)) fail_network(network, "no output of a larger batch", at);
        shape.size[0] /= TIMES;
        if (!same_shape(&shape, &network->layer[at].output)) fail_network(network, "a larger batch: shape", at);
        struct cp_text params = cp_test_atf(whole, "/layers/%d/params", at);
        struct cp_text macs = cp_test_atf(whole, "/layers/%d/macs", at);
        struct cp_text bytes = cp_test_atf(whole, "/layers/%d/output_bytes", at);
        if (!cp_text_equal(params, cp_test_atf(larger.reply.body, "/layers/%d/params", at)))
            fail_network(network, "a larger batch: params", at);
        if (TIMES * cp_test_number(macs) != cp_test_number(cp_test_atf(larger.reply.body, "/layers/%d/macs", at)))
            fail_network(network, "a larger batch: macs", at);
        if (TIMES * cp_test_number(bytes) !=
            cp_test_number(cp_test_atf(larger.reply.body, "/layers/%d/output_bytes", at)))
            fail_network(network, "a larger batch: output_bytes", at);
        if (!cp_text_equal(cp_test_atf(whole, "/layers/%d/receptive_field", at),
                           cp_test_atf(larger.reply.body, "/layers/%d/receptive_field", at)))
            fail_network(network, "a larger batch: receptive field", at);
    }
    cp_test_close(&larger);
}

/* The spatial axes in another order: the outputs in that order, and the same costs and relationships. */
static void check_permutation(const struct network *network, struct cp_text whole)
{
    static const int orders[3][3] = {{0, 1, 2}, {1, 0, 2}, {2, 0, 1}};
    const int *order = orders[network->axes - 1];
    static const char *const same[] = {"params", "macs", "output_bytes", "relationship"};
    struct cp_test_exchange permuted;
    ask(&permuted, network, 0, network->layers, order, 1);
    for (int at = 0; at < network->layers; at++) {
        struct shape shape;
        struct shape expected = network->layer[at].output;
        for (int axis = 0; axis < network->axes; axis++)
            expected.size[axis + 2] = network->layer[at].output.size[order[axis] + 2];
        if (!read_output(permuted.reply.body, at, &shape) || !same_shape(&shape, &expected))
            fail_network(network, "permuted axes: shape", at);
        for (size_t member = 0; member < sizeof same / sizeof same[0]; member++)
            if (!cp_text_equal(cp_test_atf(whole, "/layers/%d/%s", at, same[member]),
                               cp_test_atf(permuted.reply.body, "/layers/%d/%s", at, same[member])))
                fail_network(network, same[member], at);
    }
    cp_test_close(&permuted);
}

static void check_totals(const struct network *network, struct cp_text whole)
{
    static const char *const names[] = {"params", "macs", "output_bytes"};
    for (int name = 0; name < 3; name++) {
        long long sum = 0;
        for (int at = 0; at < network->layers; at++)
            sum += cp_test_number(cp_test_atf(whole, "/layers/%d/%s", at, names[name]));
        if (sum != cp_test_number(cp_test_atf(whole, "/totals/%s", names[name])))
            fail_network(network, names[name], -1);
    }
    if (2 * cp_test_number(cp_test_at(whole, "/totals/macs")) != cp_test_number(cp_test_at(whole, "/totals/flops")))
        fail_network(network, "flops", -1);
    for (int at = 0; at < network->layers; at++) {
        long long bytes = 4;
        for (int dim = 0; dim < network->layer[at].output.rank; dim++) bytes *= network->layer[at].output.size[dim];
        if (bytes != cp_test_number(cp_test_atf(whole, "/layers/%d/output_bytes", at)))
            fail_network(network, "output_bytes", at);
    }
}

static bool reads(const struct layer *layer, int source)
{
    for (int edge = 0; edge < layer->source_count; edge++)
        if (layer->sources[edge] == source) return true;
    return false;
}

/* By the definition: at each layer, its output, its inputs, and everything before it that a later layer reads. */
static long long brute_force_peak(const struct network *network)
{
    long long peak = 0;
    for (int at = 0; at < network->layers; at++) {
        long long alive = 0;
        for (int source = 0; source <= network->inputs + at; source++) {
            bool needed = source == network->inputs + at;
            for (int later = at; later < network->layers; later++)
                needed = needed || reads(&network->layer[later], source);
            long long bytes = 4;
            const struct shape *shape = shape_of(network, source);
            for (int dim = 0; dim < shape->rank; dim++) bytes *= shape->size[dim];
            if (needed) alive += bytes;
        }
        if (alive > peak) peak = alive;
    }
    return peak;
}

static bool has_field_warning(struct cp_text whole)
{
    return cp_test_holds(cp_test_at(whole, "/findings"), "receptive_field_unknown");
}

/* Where nothing is said of receptive fields, all are there; where one is null, something is said. */
static void check_fields(const struct network *network, struct cp_text whole)
{
    bool null = false;
    for (int at = 0; at < network->layers; at++)
        null = null || cp_test_is(cp_test_atf(whole, "/layers/%d/receptive_field", at), "null");
    if (null != has_field_warning(whole)) fail_network(network, "receptive fields and their warnings disagree", -1);
}

static void test_random_networks(void **state)
{
    (void)state;
    enum { NETWORKS = 400 };
    int layers = 0;
    int merges = 0;
    int warned = 0;
    chance = 20160318;
    for (int count = 0; count < NETWORKS; count++) {
        struct network network;
        struct cp_test_exchange exchange;
        draw_network(&network);
        if (network.layers == 0) continue;
        ask(&exchange, &network, 0, network.layers, in_order, 1);
        struct cp_text whole = exchange.reply.body;
        if (!cp_test_is(cp_test_at(whole, "/valid"), "true")) fail_network(&network, "not valid", -1);
        check_split(&network, whole);
        check_single_layers(&network, whole);
        check_batch(&network, whole);
        check_permutation(&network, whole);
        check_totals(&network, whole);
        check_fields(&network, whole);
        if (brute_force_peak(&network) != cp_test_number(cp_test_at(whole, "/totals/peak_activation_bytes")))
            fail_network(&network, "peak_activation_bytes", -1);
        layers += network.layers;
        for (int at = 0; at < network.layers; at++) merges += network.layer[at].source_count > 1;
        warned += has_field_warning(whole);
        cp_test_close(&exchange);
    }
    /* The networks are worth the name. */
    assert_in_range(layers, NETWORKS * 4, NETWORKS * MOST_LAYERS);
    assert_in_range(merges, NETWORKS / 2, NETWORKS * MOST_LAYERS);
    assert_in_range(warned, 1, NETWORKS / 2);
}

/* ---- Draw the output, derive the input, expect the output ---------------------------------------------------------- */

/* One axis. The windows start at multiples of s in the padded input; the last one has to end within it. */
static void test_outputs_from_derived_inputs(void **state)
{
    (void)state;
    chance = 1603;
    for (int count = 0; count < 3000; count++) {
        int output = between(1, 40);
        int kernel = between(1, 7);
        int stride = between(1, 5);
        int dilation = between(1, 3);
        int begin = between(0, 4);
        int end = between(0, 4);
        int span = dilation * (kernel - 1) + 1;
        int rest = between(0, stride - 1);
        int input = (output - 1) * stride + span + rest - begin - end;
        if (input < 1) continue;
        struct cp_test_text text;
        struct cp_test_exchange exchange;
        FILE *file = cp_test_begin(&text);
        (void)fprintf(
            file,
            "{\"input\": [1, 1, %d], \"layers\": [{\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": %d, "
            "\"stride\": %d, \"dilation\": %d, \"padding\": [[%d, %d]], \"expect\": [1, 1, %d]}, "
            "{\"type\": \"ConvTranspose1d\", \"out_channels\": 1, \"kernel_size\": %d, \"stride\": %d, "
            "\"dilation\": %d, \"padding\": [[%d, %d]], \"output_padding\": %d, \"expect\": [1, 1, %d]}]}",
            input, kernel, stride, dilation, begin, end, output, kernel, stride, dilation, begin, end, rest, input);
        cp_test_post(&exchange, cp_test_finish(&text));
        struct cp_text body = exchange.reply.body;
        if (!cp_test_is(cp_test_at(body, "/valid"), "true"))
            fail_msg("%s\n%.*s", text.bytes, (int)body.size, body.bytes);
        bool lost = cp_test_holds(cp_test_at(body, "/findings"), "input_not_covered");
        if (lost != (rest > end)) fail_msg("coverage: %s\n%.*s", text.bytes, (int)body.size, body.bytes);
        cp_test_close(&exchange);
        cp_test_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_networks),
        cmocka_unit_test(test_outputs_from_derived_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
