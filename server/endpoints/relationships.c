/* GET /v1/relationships and /v1/relationships/{number}: the guide's fifteen. */
#include <stdio.h>

#include "core/relationships.h"
#include "server/endpoints/endpoints.h"
#include "server/problem.h"

static void write_example(struct cp_writer *writer, const struct cp_relationship *relationship)
{
    const struct cp_relationship_example *example = &relationship->example;
    struct cp_axis_trace trace = {
        .window = {example->kernel, example->stride, example->dilation, example->padding, example->padding,
                   CP_ROUND_FLOOR},
        .input = example->input,
        .output = example->output,
        .output_padding = example->output_padding,
    };
    char formula[CP_FORMULA_BYTES];
    size_t size = cp_relationship_formula(formula, sizeof formula, relationship->number, example->operation, &trace);
    static const char *const names[] = {"i", "k", "s", "p", "d", "a", "o"};
    int64_t values[] = {example->input,    example->kernel,         example->stride, example->padding,
                        example->dilation, example->output_padding, example->output};
    cp_write_object_begin(writer);
    for (size_t at = 0; at < sizeof values / sizeof values[0]; at++) {
        cp_write_name(writer, cp_text_of(names[at]));
        cp_write_integer(writer, values[at]);
    }
    CP_WRITE_NAME(writer, "formula");
    cp_write_text(writer, (struct cp_text){formula, size});
    cp_write_object_end(writer);
}

static struct cp_text figure_link(struct cp_arena *arena, const struct cp_relationship_example *example)
{
    return cp_message(arena, "/v1/figure.svg?op={0}&i={1}&k={2}&s={3}&p={4}&d={5}&a={6}",
                      CP_ARGUMENTS(cp_words(example->figure), cp_number(example->input), cp_number(example->kernel),
                                   cp_number(example->stride), cp_number(example->padding),
                                   cp_number(example->dilation), cp_number(example->output_padding)));
}

static void write_relationship(struct cp_writer *writer, const struct cp_relationship *relationship)
{
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "number");
    cp_write_integer(writer, relationship->number);
    CP_WRITE_NAME(writer, "title");
    cp_write_string(writer, relationship->title);
    CP_WRITE_NAME(writer, "applies_to");
    cp_write_string(writer, relationship->applies_to);
    CP_WRITE_NAME(writer, "conditions");
    cp_write_string(writer, relationship->conditions);
    CP_WRITE_NAME(writer, "equivalent");
    if (relationship->equivalent)
        cp_write_string(writer, relationship->equivalent);
    else
        cp_write_null(writer);
    CP_WRITE_NAME(writer, "formula");
    cp_write_string(writer, relationship->formula);
    CP_WRITE_NAME(writer, "example");
    write_example(writer, relationship);
    CP_WRITE_NAME(writer, "figure");
    cp_write_text(writer, figure_link(writer->arena, &relationship->example));
    cp_write_object_end(writer);
}

void cp_endpoint_relationships(struct cp_exchange *exchange)
{
    enum { EXPECTED_BYTES = 1 << 13 };
    struct cp_writer writer;
    cp_writer_begin(&writer, exchange->arena, EXPECTED_BYTES);
    cp_write_object_begin(&writer);
    CP_WRITE_NAME(&writer, "relationships");
    cp_write_array_begin(&writer);
    for (int at = 0; at < CP_RELATIONSHIP_COUNT; at++) write_relationship(&writer, &cp_relationships[at]);
    cp_write_array_end(&writer);
    cp_write_object_end(&writer);
    cp_reply_json(exchange, &writer);
}

/* Decimal digits without sign or leading zero, of at most two places; 0 for anything else. */
static int64_t number_of(struct cp_text text)
{
    int64_t number = 0;
    if (text.size < 1 || text.size > 2 || text.bytes[0] == '0') return 0;
    for (size_t at = 0; at < text.size; at++) {
        if (text.bytes[at] < '0' || text.bytes[at] > '9') return 0;
        number = 10 * number + (text.bytes[at] - '0');
    }
    return number;
}

void cp_endpoint_relationship(struct cp_exchange *exchange)
{
    enum { EXPECTED_BYTES = 1 << 10 };
    const struct cp_relationship *relationship = cp_relationship_find(number_of(exchange->parameter));
    struct cp_writer writer;
    if (!relationship) {
        cp_reply_not_found(exchange, CP_TEXT("the relationships are numbered 1 to 15"));
        return;
    }
    cp_writer_begin(&writer, exchange->arena, EXPECTED_BYTES);
    write_relationship(&writer, relationship);
    cp_reply_json(exchange, &writer);
}
