/* Every operation and every code over real sockets, each with a request of its own that gives it. Codes of the transport
 * are in the other tests. */
#define _GNU_SOURCE 1 /* memmem */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/finding.h"
#include "core/limits.h"
#include "server/budgets.h"
#include "tests/http/http_client.h"

static struct cp_http *serve(void)
{
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    options.workers = 1;
    return cp_client_server(options);
}

/* Ask for a target, with more headers, and with a body unless it is NULL. */
static struct cp_client *ask_with(struct cp_http *http, const char *target, const char *body, const char *headers,
                                  struct cp_client_reply *reply)
{
    char head[512];
    const char *method = body ? "POST" : "GET";
    snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: t\r\n%sContent-Length: %zu\r\n\r\n", method, target, headers,
             body ? strlen(body) : 0);
    struct cp_client *client = cp_client_open(cp_http_port(http));
    cp_client_send_text(client, head);
    if (body) cp_client_send_text(client, body);
    cp_client_read(client, reply, false);
    return client;
}

static struct cp_client *ask(struct cp_http *http, const char *target, const char *body, struct cp_client_reply *reply)
{
    return ask_with(http, target, body, "", reply);
}

/* ---- Operations --------------------------------------------------------------------------------------------------- */

static const struct operation_row {
    const char *target, *body, *content_type; /* which is asked for, too */
} operation_rows[] = {
    {"/v1/diagram.svg", "{\"input\": [1, 3], \"layers\": [{\"type\": \"ReLU\"}]}", "image/svg+xml"},
    {"/v1/figure.svg?op=conv&i=5&k=3&s=2&p=1", NULL, "image/svg+xml"},
    {"/", NULL, "application/json"},
    {"/", NULL, "text/html; charset=utf-8"},
    {"/docs", NULL, "text/html; charset=utf-8"},
    {"/web/main.js", NULL, "text/javascript; charset=utf-8"},
    {"/web/base.css", NULL, "text/css; charset=utf-8"},
    {"/web/icon.svg", NULL, "image/svg+xml"},
    {"/v1/layers", NULL, "application/json"},
    {"/v1/examples", NULL, "application/json"},
    {"/v1/examples/lenet5", NULL, "application/json"},
    {"/v1/relationships", NULL, "application/json"},
    {"/v1/relationships/15", NULL, "application/json"},
    {"/problems/kernel_exceeds_input", NULL, "application/json"},
    {"/openapi.yaml", NULL, "application/yaml"},
    {"/openapi.json", NULL, "application/json"},
};

/* A reply with a validator is the same when it is asked for with that again, and then has no body. */
static void ask_again(struct cp_http *http, const struct operation_row *row, const char *tag)
{
    char headers[128];
    struct cp_client_reply reply;
    snprintf(headers, sizeof headers, "Accept: %s\r\nIf-None-Match: %s\r\n", row->content_type, tag);
    struct cp_client *client = ask_with(http, row->target, NULL, headers, &reply);
    cp_expect_status(row->target, 304, &reply);
    cp_client_close(client);
}

static void every_operation(void **state)
{
    (void)state;
    struct cp_http *http = serve();
    for (size_t at = 0; at < sizeof operation_rows / sizeof *operation_rows; at++) {
        const struct operation_row *row = &operation_rows[at];
        char headers[64], tag[64];
        struct cp_client_reply reply;
        snprintf(headers, sizeof headers, "Accept: %s\r\n", row->content_type);
        struct cp_client *client = ask_with(http, row->target, row->body, headers, &reply);
        cp_expect_status(row->target, 200, &reply);
        cp_expect_header(row->target, &reply, "Content-Type", row->content_type);
        if (*cp_client_header(&reply, "ETag", tag, sizeof tag)) ask_again(http, row, tag);
        cp_client_close(client);
    }
    cp_http_free(http);
}

/* ---- Codes -------------------------------------------------------------------------------------------------------- */

static const struct code_row {
    const char *code, *target, *body;
} code_rows[] = {
#define LAYERS(layers) "{\"input\": [1, 4, 8, 8], \"layers\": [" layers "]}"
    /* findings */
    {"kernel_exceeds_input", "/v1/shapes", LAYERS("{\"type\": \"Conv2d\", \"out_channels\": 4, \"kernel_size\": 9}")},
    {"empty_output", "/v1/shapes",
     LAYERS("{\"type\": \"ConvTranspose2d\", \"out_channels\": 4, \"kernel_size\": 1, \"padding\": 4}")},
    {"size_overflow", "/v1/shapes",
     LAYERS("{\"type\": \"ConvTranspose2d\", \"out_channels\": 4, \"kernel_size\": 3, \"stride\": 9007199254740991}")},
    {"count_overflow", "/v1/shapes", "{\"input\": [1, 1, 94906265, 94906265], \"layers\": [{\"type\": \"ReLU\"}]}"},
    {"same_needs_unit_stride", "/v1/shapes",
     LAYERS("{\"type\": \"Conv2d\", \"out_channels\": 4, \"kernel_size\": 3, \"stride\": 2, \"padding\": \"same\"}")},
    {"pool_padding_too_large", "/v1/shapes", LAYERS("{\"type\": \"MaxPool2d\", \"kernel_size\": 3, \"padding\": 2}")},
    {"output_padding_too_large", "/v1/shapes",
     LAYERS("{\"type\": \"ConvTranspose2d\", \"out_channels\": 4, \"kernel_size\": 3, \"stride\": 2, "
            "\"output_padding\": 2}")},
    {"output_size_out_of_range", "/v1/shapes",
     LAYERS("{\"type\": \"ConvTranspose2d\", \"out_channels\": 4, \"kernel_size\": 3, \"stride\": 2, \"output_size\": "
            "40}")},
    {"input_not_covered", "/v1/shapes", LAYERS("{\"type\": \"MaxPool2d\", \"kernel_size\": 3}")},
    {"wrong_rank", "/v1/shapes", LAYERS("{\"type\": \"BatchNorm3d\"}")},
    {"wrong_rank_range", "/v1/shapes", "{\"input\": [4], \"layers\": [{\"type\": \"Scale\"}]}"},
    {"size_mismatch", "/v1/shapes", LAYERS("{\"type\": \"Scale\", \"num_features\": 3}")},
    {"not_divisible", "/v1/shapes", LAYERS("{\"type\": \"GroupNorm\", \"num_groups\": 3}")},
    {"dim_out_of_range", "/v1/shapes", LAYERS("{\"type\": \"Mean\", \"dim\": 7}")},
    {"dims_out_of_order", "/v1/shapes", LAYERS("{\"type\": \"Flatten\", \"start_dim\": 2, \"end_dim\": -3}")},
    {"dim_twice", "/v1/shapes", LAYERS("{\"type\": \"Mean\", \"dim\": [2, -2]}")},
    {"not_a_permutation", "/v1/shapes", LAYERS("{\"type\": \"Permute\", \"dims\": [0, 1, 2, 2]}")},
    {"elements_differ", "/v1/shapes", LAYERS("{\"type\": \"Reshape\", \"shape\": [3, -1]}")},
    {"rank_too_large", "/v1/shapes",
     LAYERS("{\"type\": \"Unflatten\", \"dim\": 1, \"unflattened_size\": [1, 1, 1, 2, 2, 1]}")},
    {"empty_slice", "/v1/shapes", LAYERS("{\"type\": \"Slice\", \"dim\": 2, \"start\": 8}")},
    {"shapes_do_not_broadcast", "/v1/shapes",
     "{\"inputs\": {\"a\": [1, 4, 8, 8], \"b\": [3, 8]}, \"layers\": [{\"type\": \"Mul\", \"from\": [\"a\", \"b\"]}]}"},
    {"concat_sizes_differ", "/v1/shapes",
     "{\"inputs\": {\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8]}, \"layers\": [{\"type\": \"Concat\", \"from\": [\"a\", "
     "\"b\"]}]}"},
    {"border_too_wide", "/v1/shapes", LAYERS("{\"type\": \"ReflectionPad2d\", \"padding\": [7, 8, 0, 0]}")},
    {"crop_leaves_nothing", "/v1/shapes",
     LAYERS("{\"type\": \"ConstantPad2d\", \"padding\": [-9, 3, 0, 0], \"value\": 1}")},
    {"crop_exceeds_input", "/v1/shapes", LAYERS("{\"type\": \"CenterCrop2d\", \"output_size\": [8, 9]}")},
    {"like_rank_differs", "/v1/shapes",
     "{\"inputs\": {\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8]}, \"layers\": [{\"type\": \"CenterCrop2d\", \"from\": \"a\", "
     "\"like\": \"b\"}]}"},
    {"mode_needs_rank", "/v1/shapes", LAYERS("{\"type\": \"Upsample\", \"scale_factor\": 2, \"mode\": \"trilinear\"}")},
    {"wrong_axis_count", "/v1/shapes",
     "{\"input\": [1, 4, 8], \"layers\": [{\"type\": \"Upsample\", \"size\": [2, 2]}]}"},
    {"scale_leaves_nothing", "/v1/shapes", LAYERS("{\"type\": \"Upsample\", \"scale_factor\": [0.125, 0.1]}")},
    {"normalized_shape_differs", "/v1/shapes", LAYERS("{\"type\": \"LayerNorm\", \"normalized_shape\": 5}")},
    {"one_value_to_normalise", "/v1/shapes", "{\"input\": [2, 4, 1, 1], \"layers\": [{\"type\": \"InstanceNorm2d\"}]}"},
    {"expectation_failed", "/v1/shapes", LAYERS("{\"type\": \"ReLU\", \"expect\": [1, 4, 8, 9]}")},
    {"unknown_shape", "/v1/shapes", LAYERS("{\"type\": \"Opaque\"}")},
    {"unknown_cost", "/v1/shapes", LAYERS("{\"type\": \"Opaque\", \"output_shape\": [1]}")},
    {"receptive_field_unknown", "/v1/shapes", LAYERS("{\"type\": \"Mean\", \"dim\": 2}")},
    {"round_trip_mismatch", "/v1/roundtrip",
     "{\"input\": [1, 1, 7], \"encoder\": [{\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 3, \"stride\": "
     "2}], \"decoder\": [{\"type\": \"ConvTranspose1d\", \"out_channels\": 1, \"kernel_size\": 3, \"stride\": 2, "
     "\"padding\": 1}]}"},
    {"no_fix_round_trips", "/v1/roundtrip",
     "{\"input\": [1, 4, 9], \"encoder\": [{\"type\": \"MaxPool1d\", \"kernel_size\": 2}], \"decoder\": [{\"type\": "
     "\"Upsample\", \"scale_factor\": 2}]}"},
    {"output_differs", "/v1/roundtrip",
     "{\"input\": [1, 4, 8, 8], \"encoder\": [{\"type\": \"MaxPool2d\", \"kernel_size\": 2}], \"decoder\": [{\"type\": "
     "\"ConvTranspose2d\", \"out_channels\": 4, \"kernel_size\": 2, \"stride\": 2}, {\"type\": \"Flatten\", "
     "\"start_dim\": 2}]}"},
    {"unpaired_stages", "/v1/roundtrip",
     "{\"input\": [1, 1, 8], \"encoder\": [{\"type\": \"ReLU\"}], \"decoder\": [{\"type\": \"MaxPool1d\", "
     "\"kernel_size\": 2}]}"},
    {"channels_differ", "/v1/roundtrip",
     "{\"input\": [1, 3, 8, 8], \"encoder\": [{\"type\": \"MaxPool2d\", \"kernel_size\": 2}], \"decoder\": [{\"type\": "
     "\"ConvTranspose2d\", \"out_channels\": 21, \"kernel_size\": 2, \"stride\": 2}]}"},
    {"no_size_works", "/v1/sizes",
     "{\"input\": [1, 3, \"n\", \"n\"], \"layers\": [{\"type\": \"Conv2d\", \"out_channels\": 4, \"kernel_size\": 1, "
     "\"in_channels\": 5}]}"},
    {"no_solution", "/v1/solve", "{\"type\": \"Conv\", \"input\": 5, \"output\": 500}"},
    {"no_inverse", "/v1/decoder", "{\"input\": [1, 4, 8, 8], \"encoder\": [{\"type\": \"Mean\", \"dim\": [2, 3]}]}"},
    {"branch_left_out", "/v1/decoder",
     "{\"input\": [1, 4, 8, 8], \"encoder\": [{\"type\": \"Conv2d\", \"name\": \"c\", \"out_channels\": 4, "
     "\"kernel_size\": 3, \"padding\": 1}, {\"type\": \"Add\", \"from\": [\"c\", \"input\"]}]}"},
    {"unpool_needs_max_pool", "/v1/decoder",
     "{\"pool_inverse\": \"unpool\", \"input\": [1, 2, 8], \"encoder\": [{\"type\": \"AvgPool1d\", \"name\": \"p\", "
     "\"kernel_size\": 2}]}"},

    /* problems */
    {"invalid_json", "/v1/shapes", ""},
    {"duplicate_member", "/v1/shapes", "{\"input\": [1, 2], \"input\": [1, 2]}"},
    {"nul_in_string", "/v1/shapes", LAYERS("{\"type\": \"ReLU\", \"name\": \"a\\u0000\"}")},
    {"number_out_of_range", "/v1/shapes", "{\"input\": [1, 1e999999999999], \"layers\": [{\"type\": \"ReLU\"}]}"},
    {"unknown_member", "/v1/solve", "{\"type\": \"AvgPool\", \"output\": 3, \"dilation\": 2}"},
    {"missing_member", "/v1/solve", "{\"output\": 3}"},
    {"wrong_type", "/v1/shapes", "1"},
    {"out_of_range", "/v1/figure.svg?op=conv&i=0&k=3", NULL},
    {"wrong_length", "/v1/figure.svg?op=conv&i=5,5,5&k=3", NULL},
    {"unknown_word", "/v1/figure.svg?op=dense&i=5&k=3", NULL},
    {"unknown_layer_type", "/v1/shapes", LAYERS("{\"type\": \"Conf2d\"}")},
    {"unknown_layer_name", "/v1/shapes", LAYERS("{\"type\": \"ReLU\", \"from\": \"b\"}")},
    {"later_layer", "/v1/shapes",
     LAYERS("{\"type\": \"ReLU\", \"from\": \"b\"}, {\"type\": \"ReLU\", \"from\": \"input\", \"name\": \"b\"}")},
    {"cycle", "/v1/shapes", LAYERS("{\"type\": \"ReLU\", \"name\": \"a\", \"from\": \"a\"}")},
    {"duplicate_name", "/v1/shapes", LAYERS("{\"type\": \"ReLU\", \"name\": \"input\"}")},
    {"conflicting_members", "/v1/figure.svg?op=conv_transpose&i=3&k=3&s=2&a=1&p=same_upper", NULL},
    {"two_open_sizes", "/v1/shapes", LAYERS("{\"type\": \"Reshape\", \"shape\": [-1, 4, -1]}")},
    {"limit_exceeded", "/v1/sizes", "{\"inputs\": {}, \"layers\": [{\"type\": \"ReLU\"}]}"},
    {"no_layers", "/v1/shapes", "{\"input\": [1], \"layers\": []}"},
    {"unknown_parameter", "/v1/figure.svg?op=conv&i=5&K=3&k=3", NULL},
    {"missing_parameter", "/v1/figure.svg", NULL},
    {"duplicate_parameter", "/v1/figure.svg?op=conv&i=5&k=3&k=3", NULL},
    {"figure_too_large", "/v1/figure.svg?op=conv&axes=1&i=8193&k=1", NULL},
    {"layer_not_computed", "/v1/convolve",
     "{\"layer\": {\"type\": \"ReLU\"}, \"input\": [[[1, 2, 3]]], \"weight\": [[[1, 10]]]}"},
    {"ragged_tensor", "/v1/convolve",
     "{\"layer\": {\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 2}, \"input\": [[[1, 2, 3], [4, 5]]], "
     "\"weight\": [[[1, 10]]]}"},
    {"bad_base64", "/v1/convolve",
     "{\"layer\": {\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 1}, \"input\": {\"shape\": [1,1,2], "
     "\"dtype\": \"float64\", \"base64\": \"AAAAAAAA8D8=\"}, \"weight\": [[[1]]]}"},
    {"tensor_shape_differs", "/v1/convolve",
     "{\"layer\": {\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 2}, \"input\": [[[1, 2, 3]]], "
     "\"weight\": [[1, 10]]}"},
    {"mixed_dtypes", "/v1/convolve",
     "{\"layer\": {\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 1}, \"input\": {\"shape\": [1,1,1], "
     "\"dtype\": \"int64\", \"data\": [5]}, \"weight\": {\"shape\": [1,1,1], \"dtype\": \"float32\", \"data\": [5]}}"},
    {"element_out_of_range", "/v1/convolve",
     "{\"layer\": {\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 2}, \"input\": [[[1, 2.5, 3]]], "
     "\"weight\": [[[1, 10]]], \"dtype\": \"int64\"}"},
    {"not_finite", "/v1/convolve",
     "{\"layer\": {\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 1}, \"input\": [[[1e308]]], \"weight\": "
     "[[[10]]]}"},
    {"direction_not_applicable", "/v1/convolve",
     "{\"layer\": {\"type\": \"MaxPool1d\", \"kernel_size\": 2}, \"input\": [[[1, 2]]], \"output_gradient\": [[[1]]], "
     "\"direction\": \"backward_weight\"}"},
    {"method_not_applicable", "/v1/convolve",
     "{\"layer\": {\"type\": \"MaxPool1d\", \"kernel_size\": 2}, \"input\": [[[1, 2]]], \"method\": \"matrix\"}"},
    {"include_not_applicable", "/v1/convolve",
     "{\"layer\": {\"type\": \"MaxPool1d\", \"kernel_size\": 2}, \"input\": [[[1, 2]]], \"include\": [\"matrix\"]}"},
    {"integer_overflow", "/v1/convolve",
     "{\"layer\": {\"type\": \"Conv1d\", \"out_channels\": 1, \"kernel_size\": 1}, \"input\": [[[1, "
     "9223372036854775807]]], \"weight\": [[[2]]], \"dtype\": \"int64\"}"},
    {"inexact_average", "/v1/convolve",
     "{\"layer\": {\"type\": \"AvgPool1d\", \"kernel_size\": 2}, \"input\": [[[1, 2]]], \"dtype\": \"int64\"}"},
    {"empty_window", "/v1/convolve",
     "{\"layer\": {\"type\": \"MaxPool1d\", \"kernel_size\": 2, \"dilation\": 3, \"stride\": 1, \"padding\": 2}, "
     "\"input\": [[[5]]], \"dtype\": \"int64\"}"},
    {"coupled_symbols", "/v1/sizes", "{\"input\": [1, 3, \"h\", \"w\"], \"layers\": [{\"type\": \"InstanceNorm2d\"}]}"},
    {"bad_symbol", "/v1/sizes", "{\"input\": [1, \"n\"], \"layers\": [{\"type\": \"ReLU\"}]}"},
    {"sizes_not_periodic", "/v1/sizes",
     "{\"input\": [1, 3, \"n\"], \"layers\": [{\"type\": \"Upsample\", \"scale_factor\": 0.29}]}"},
};

static const struct cp_status *status_of(const char *name)
{
    for (int code = 0; code < CP_CODE_COUNT; code++)
        if (strcmp(cp_statuses[code].code, name) == 0) return &cp_statuses[code];
    fail_msg("no code is named %s", name);
    return NULL;
}

/* A finding is in an answer, a problem is the answer, of the status and page that are its own. */
static void expect_code(const char *name, const struct cp_client_reply *reply)
{
    char wanted[128];
    const int status = status_of(name)->http_status;
    cp_expect_status(name, status, reply);
    int size = snprintf(wanted, sizeof wanted, status == 200 ? "\"code\":\"%s\"" : "\"type\":\"/problems/%s\"", name);
    if (!memmem(reply->body, reply->body_size, wanted, (size_t)size))
        fail_msg("%s is not in: %.*s", name, (int)reply->body_size, reply->body);
}

static void every_code(void **state)
{
    (void)state;
    struct cp_http *http = serve();
    for (size_t at = 0; at < sizeof code_rows / sizeof *code_rows; at++) {
        struct cp_client_reply reply;
        struct cp_client *client = ask(http, code_rows[at].target, code_rows[at].body, &reply);
        expect_code(code_rows[at].code, &reply);
        cp_client_close(client);
    }
    cp_http_free(http);
}

/* `count` times `text`, allocated, with terminated text around it. */
static char *repeated(const char *before, const char *text, size_t count, const char *after)
{
    char *bytes;
    size_t size;
    FILE *file = open_memstream(&bytes, &size);
    assert_non_null(file);
    fputs(before, file);
    for (size_t at = 0; at < count; at++) fputs(text, file);
    fputs(after, file);
    assert_int_equal(fclose(file), 0);
    return bytes;
}

static void expect_large(struct cp_http *http, const char *target, const char *code, char *body)
{
    struct cp_client_reply reply;
    struct cp_client *client = ask(http, target, body, &reply);
    expect_code(code, &reply);
    cp_client_close(client);
    free(body);
}

static void limits_of_json(void **state)
{
    (void)state;
    struct cp_http *http = serve();
    expect_large(http, "/v1/shapes", "json_too_deep", repeated("{\"meta\": ", "[", CP_MAX_JSON_DEPTH, ""));
    expect_large(http, "/v1/shapes", "json_too_many_values", repeated("[", "0,", CP_MAX_JSON_VALUES, "0]"));
    cp_http_free(http);
}

static void too_many_repairs(void **state)
{
    (void)state;
    struct cp_http *http = serve();
    expect_large(http, "/v1/roundtrip", "repair_not_decided",
                 repeated("{\"input\": [1, 4, 35, 35], \"encoder\": [{\"type\": \"MaxPool2d\", \"kernel_size\": 2}], "
                          "\"decoder\": [",
                          "{\"type\": \"MaxPool2d\", \"kernel_size\": 3, \"stride\": 1}, ", 300,
                          "{\"type\": \"PixelUnshuffle\", \"downscale_factor\": 2}, "
                          "{\"type\": \"ZeroPad2d\", \"padding\": 0}]}"));
    cp_http_free(http);
}

static void a_computation_that_takes_too_long(void **state)
{
    (void)state;
    struct cp_client_reply reply;
    struct cp_http *http = serve();
    cp_budgets.seconds = 0;
    struct cp_client *client = ask(http, "/v1/solve",
                                   "{\"type\": \"Conv2d\", \"input\": 600, \"output\": 300, "
                                   "\"kernel_size\": {\"min\": 1, \"max\": 300}, "
                                   "\"stride\": {\"min\": 1, \"max\": 100}}",
                                   &reply);
    expect_code("computation_stopped", &reply);
    cp_client_close(client);
    cp_http_free(http);
    cp_budgets.seconds = CP_MAX_COMPUTED_SECONDS;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation),
        cmocka_unit_test(every_code),
        cmocka_unit_test(limits_of_json),
        cmocka_unit_test(too_many_repairs),
        cmocka_unit_test(a_computation_that_takes_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
