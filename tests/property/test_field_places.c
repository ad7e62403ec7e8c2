/* Receptive fields of random networks that reshape, permute, pool and merge, against brute force. */
#include <stdint.h>

#include "tests/property/traced_layers.h"
#include "tests/service_client.h"

enum { MOST_LAYERS = 10 };

struct network {
    struct cp_traced_tensor input;
    int count;
    struct cp_traced_layer layer[MOST_LAYERS];
    int source[MOST_LAYERS][2]; /* 0: the network's input; then the layers */
};

static const struct cp_traced_tensor *tensor_of(const struct network *network, int source)
{
    return source == 0 ? &network->input : &network->layer[source - 1].output;
}

static void write_request(FILE *file, const struct network *network)
{
    const int *size = network->input.size;
    (void)fprintf(file, "{\"input\": [1, %d, %d, %d], \"layers\": [", size[1], size[2], size[3]);
    for (int at = 0; at < network->count; at++) {
        const struct cp_traced_layer *layer = &network->layer[at];
        (void)fprintf(file, "%s\n  {\"name\": \"%d\", %s, \"from\": [", at ? "," : "", at + 1, layer->text);
        for (int edge = 0; edge <= layer->merges; edge++) {
            int source = network->source[at][edge];
            (void)fprintf(file, edge ? ", " : "");
            (void)fprintf(file, source ? "\"%d\"" : "\"input\"", source);
        }
        (void)fprintf(file, "]}");
    }
    (void)fprintf(file, "]}\n");
}

static void ask(struct cp_test_exchange *exchange, const struct network *network)
{
    struct cp_test_text text;
    write_request(cp_test_begin(&text), network);
    cp_test_post(exchange, cp_test_finish(&text));
    if (exchange->reply.status != 200)
        fail_msg("%s%.*s", text.bytes, (int)exchange->reply.body.size, exchange->reply.body.bytes);
    cp_test_free(&text);
}

static void __attribute__((noreturn)) fail_network(const struct network *network, const char *what, int layer)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    write_request(cp_test_begin(&text), network);
    cp_test_post(&exchange, cp_test_finish(&text));
    print_error("%s, layer %d\n%s%.*s\n", what, layer, text.bytes, (int)exchange.reply.body.size,
                exchange.reply.body.bytes);
    fail();
    abort();
}

/* Is the output the one that was traced? */
static bool has_shape(struct cp_text whole, int layer, const struct cp_traced_tensor *tensor)
{
    struct cp_text output = cp_test_atf(whole, "/layers/%d/output", layer);
    assert_int_equal(cp_test_count(output), tensor->rank);
    for (int dim = 0; dim < tensor->rank; dim++)
        if (cp_test_number(cp_test_atf(output, "/%d", dim)) != tensor->size[dim]) return false;
    return true;
}

/* Add a layer; one that does not work out is left out again. */
static void draw_layer(struct cp_random *random, struct network *network)
{
    int at = network->count;
    struct cp_test_exchange exchange;
    int *source = network->source[at];
    source[0] = cp_random_chance(random, 4) ? cp_random_within(random, 0, at) : at;
    source[1] = cp_random_within(random, 0, at);
    if (!cp_draw_traced_layer(random, &network->layer[at], tensor_of(network, source[0]), tensor_of(network, source[1]),
                              &network->input))
        return;
    network->count++;
    ask(&exchange, network);
    struct cp_text whole = exchange.reply.body;
    if (cp_test_is(cp_test_atf(whole, "/layers/%d/output", at), "null"))
        network->count--;
    else if (!has_shape(whole, at, &network->layer[at].output))
        fail_network(network, "traced another shape", at);
    cp_test_close(&exchange);
}

/* ---- What is to hold ------------------------------------------------------------------------------------------------ */

static bool is_warned(struct cp_text whole, int layer)
{
    struct cp_text findings = cp_test_at(whole, "/findings");
    char pointer[32];
    (void)snprintf(pointer, sizeof pointer, "/layers/%d", layer);
    for (int at = cp_test_count(findings) - 1; at >= 0; at--)
        if (cp_test_is_string(cp_test_atf(findings, "/%d/code", at), "receptive_field_unknown") &&
            cp_test_is_string(cp_test_atf(findings, "/%d/pointer", at), pointer))
            return true;
    return false;
}

static bool is_null(struct cp_text whole, int source)
{
    return source > 0 && cp_test_is(cp_test_atf(whole, "/layers/%d/receptive_field", source - 1), "null");
}

/* First and last unit of an axis that the elements at one index of its dimension depend on. */
static void hull_at(const struct cp_traced_tensor *tensor, int axis, int index, int *low, int *high)
{
    uint32_t units = 0;
    for (int element = 0; element < tensor->elements; element++)
        if (cp_traced_index(tensor, element, tensor->home[axis]) == index) units |= tensor->units[axis][element];
    for (*low = 0; !(units >> *low & 1); ++*low) continue;
    for (*high = 31; !(units >> *high & 1); --*high) continue;
}

/* The numbers of the axes, in the order of the dimensions that they are. */
static bool right_numbers(struct cp_text field, const struct cp_traced_tensor *tensor)
{
    for (int axis = 0; axis < CP_TRACED_AXES; axis++) {
        int place = tensor->home[axis] > tensor->home[!axis];
        int most = 0, low, high, start;
        hull_at(tensor, axis, 0, &start, &high);
        for (int index = 0; index < tensor->size[tensor->home[axis]]; index++) {
            hull_at(tensor, axis, index, &low, &high);
            if (high - low + 1 > most) most = high - low + 1;
        }
        if (cp_test_number(cp_test_atf(field, "/size/%d", place)) != most) return false;
        if (cp_test_number(cp_test_atf(field, "/start/%d", place)) != start) return false;
    }
    return true;
}

enum said { NUMBERS, GLOBAL, NOTHING, KINDS };

static enum said check_layer(const struct network *network, struct cp_text whole, int at)
{
    const struct cp_traced_layer *layer = &network->layer[at];
    const struct cp_traced_tensor *output = &layer->output;
    struct cp_text field = cp_test_atf(whole, "/layers/%d/receptive_field", at);
    enum said said = is_null(whole, at + 1) ? NOTHING : cp_test_is_string(field, "global") ? GLOBAL : NUMBERS;
    bool all = true, some = false;
    for (int axis = 0; axis < CP_TRACED_AXES; axis++) {
        bool full = cp_traced_full(output, &network->input, axis);
        all = all && full;
        some = some || full;
    }
    if (said == GLOBAL && !all) fail_network(network, "global, where not all is seen", at);
    if (said != GLOBAL && all && output->exact) fail_network(network, "not global, where all is seen", at);
    bool before = is_null(whole, network->source[at][0]) || (layer->merges && is_null(whole, network->source[at][1]));
    if ((said == NOTHING && !before) != is_warned(whole, at)) fail_network(network, "not warned of once", at);
    if (said != NUMBERS && output->plain) fail_network(network, "no numbers", at);
    if (said != NUMBERS) return said;
    int count = cp_test_count(cp_test_at(field, "/size"));
    if (some) fail_network(network, "numbers, where an axis is seen whole", at);
    if (layer->axes && count != layer->axes) fail_network(network, "numbers that are not of the layer's axes", at);
    if (output->plain && (count != CP_TRACED_AXES || !right_numbers(field, output)))
        fail_network(network, "other numbers", at);
    return said;
}

static void test_random_networks(void **state)
{
    enum { NETWORKS = 1500 };
    static struct network network;
    struct cp_random random = {20161212};
    int seen[KINDS] = {0}, recovered = 0;
    (void)state;
    for (int count = 0; count < NETWORKS; count++) {
        struct cp_test_exchange exchange;
        network.count = 0;
        cp_draw_traced_input(&random, &network.input);
        for (int tries = 0; tries < 2 * MOST_LAYERS && network.count < MOST_LAYERS; tries++)
            draw_layer(&random, &network);
        ask(&exchange, &network);
        for (int at = 0; at < network.count; at++) {
            enum said said = check_layer(&network, exchange.reply.body, at);
            seen[said]++;
            recovered += said == GLOBAL && is_null(exchange.reply.body, network.source[at][0]);
        }
        cp_test_close(&exchange);
    }
    print_message("numbers %d, global %d, null %d, global after null %d\n", seen[NUMBERS], seen[GLOBAL], seen[NOTHING],
                  recovered);
    assert_true(seen[NUMBERS] > 1000 && seen[GLOBAL] > 1000 && seen[NOTHING] > 1000 && recovered > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_networks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
