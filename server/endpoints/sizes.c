/* POST /v1/sizes: exactly which input sizes work. */
#include "core/layers/laws.h"
#include "server/budgets.h"
#include "server/endpoints/endpoints.h"
#include "server/json/number.h"
#include "server/sizes_writing.h"

static const char *const members[] = {"input",   "inputs", "layers", "encoder", "decoder",
                                      "covered", "near",   "dtype",  "layout",  NULL};

struct question {
    struct cp_stack stack;
    struct cp_symbols symbols;
    struct cp_plan_style style;
};

/* `layers`, or `encoder` and `decoder`. */
static void read_stack(struct cp_reader *reader, const struct cp_json *request, struct cp_stack *stack)
{
    const struct cp_json *layers = cp_json_member(request, CP_TEXT("layers"));
    const struct cp_json *encoder = cp_json_member(request, CP_TEXT("encoder"));
    const struct cp_json *decoder = cp_json_member(request, CP_TEXT("decoder"));
    struct cp_path path = {0};
    if (layers && (encoder || decoder)) {
        cp_problem_add(&reader->problems, CP_CODE_conflicting_members, NULL,
                       CP_ARGUMENTS(cp_words("layers"), cp_words(encoder ? "encoder" : "decoder")));
        return;
    }
    if (layers) {
        cp_read_layers(reader, request, "layers", stack);
        return;
    }
    if (encoder && decoder) {
        cp_read_encoder_and_decoder(reader, request, stack);
        return;
    }
    const char *missing = encoder ? "decoder" : decoder ? "encoder" : "layers";
    cp_problem_add(&reader->problems, CP_CODE_missing_member, &path,
                   CP_ARGUMENTS(cp_words(missing), cp_words("give `layers`, or `encoder` and `decoder`")));
}

static bool read_question(struct cp_reader *reader, struct cp_text body, struct question *question)
{
    const struct cp_json *request = cp_read_body(reader, body);
    if (!request) return false;
    cp_read_known_members(reader, request, NULL, members, 0);
    cp_read_layout(reader, request);
    question->style = (struct cp_plan_style){.channels_last = reader->channels_last, .base = "/layers"};
    question->stack = (struct cp_stack){.element_bytes = cp_read_element_bytes(reader, request),
                                        .covered = cp_read_boolean(reader, request, "covered", false)};
    cp_read_symbolic_inputs(reader, request, &question->stack, &question->symbols);
    cp_read_near(reader, request, &question->symbols);
    read_stack(reader, request, &question->stack);
    return reader->problems.count == 0;
}

/* The list of the request that a layer is in, and where. */
static struct cp_path list_of(const struct cp_stack *stack, uint32_t layer, const struct cp_path *root)
{
    if (!stack->encoder_count) return CP_PATH_MEMBER(root, CP_TEXT("layers"));
    return CP_PATH_MEMBER(root, layer >= stack->encoder_count ? CP_TEXT("decoder") : CP_TEXT("encoder"));
}

static uint32_t index_in(const struct cp_stack *stack, uint32_t layer)
{
    return layer >= stack->encoder_count ? layer - stack->encoder_count : layer;
}

static struct cp_argument number(struct cp_arena *arena, double value)
{
    char *text = cp_arena_take(arena, CP_NUMBER_ROOM, 1);
    return cp_name((struct cp_text){text, cp_number_format(value, text)});
}

static void add_uneven_scale(struct cp_reader *reader, const struct cp_path *layer, struct cp_text name,
                             const struct cp_uneven_scale *uneven)
{
    struct cp_path at = CP_PATH_MEMBER(layer, CP_TEXT("scale_factor"));
    struct cp_argument scale = number(reader->arena, uneven->scale);
    struct cp_text why =
        uneven->size
            ? cp_message(reader->arena,
                         "{0} · {1} is {2}, but becomes {3} in binary64, in which PyTorch computes sizes, and so {4}; "
                         "with other sizes the product is not rounded below the integer that it should be",
                         CP_ARGUMENTS(cp_number(uneven->size), scale, cp_number(uneven->exact),
                                      number(reader->arena, (double)uneven->size * uneven->scale),
                                      cp_number((int64_t)((double)uneven->size * uneven->scale))))
            : cp_message(reader->arena,
                         "{0} is no fraction with a denominator up to {1} whose products are rounded evenly",
                         CP_ARGUMENTS(scale, cp_number(CP_MAX_SIZES_DENOMINATOR)));
    struct cp_text instead =
        cp_message(reader->arena, "take a multiple of 1/64, such as {0}: its products are never rounded",
                   CP_ARGUMENTS(number(reader->arena, uneven->neighbour)));
    cp_problem_add(&reader->problems, CP_CODE_sizes_not_periodic, &at,
                   CP_ARGUMENTS(cp_name(name), cp_name(why), cp_name(instead)));
}

/* A refusal of the question: at the layer where it arises, if there is one. */
static void refuse(struct cp_reader *reader, const struct cp_stack *stack, const struct cp_valid_sizes *sizes)
{
    struct cp_path root = {0}, list = list_of(stack, sizes->layer, &root);
    struct cp_path layer = CP_PATH_INDEX(&list, index_in(stack, sizes->layer));
    const struct cp_path *at = sizes->layer == CP_NO_LAYER ? NULL : &layer;
    struct cp_text name = at ? stack->layers[sizes->layer].name : (struct cp_text){0};
    struct cp_uneven_scale uneven;
    if (sizes->refusal == CP_CODE_limit_exceeded)
        cp_problem_add(
            &reader->problems, sizes->refusal, at,
            CP_ARGUMENTS(cp_words(sizes->what),
                         sizes->number == CP_MAX_COUNT ? cp_words("over 2^53 − 1") : cp_number(sizes->number),
                         cp_number(sizes->limit)));
    else if (sizes->refusal == CP_CODE_sizes_not_periodic &&
             cp_find_uneven_scale(&stack->layers[sizes->layer], &uneven))
        add_uneven_scale(reader, &layer, name, &uneven);
    else
        cp_problem_add(&reader->problems, sizes->refusal, at,
                       CP_ARGUMENTS(cp_name(name), cp_words("a size there has no period"),
                                    cp_words("put a number in the place of one free size")));
}

void cp_endpoint_sizes(struct cp_exchange *exchange)
{
    enum { EXPECTED_BYTES = 1 << 12 };
    struct cp_reader reader;
    struct question question;
    struct cp_valid_sizes sizes;
    struct cp_writer writer;
    cp_reader_begin(&reader, exchange->arena);
    bool readable = read_question(&reader, exchange->request->body, &question);
    cp_enter(exchange, CP_COMPUTING);
    if (readable) {
        struct cp_sizes_question asked = {&question.stack, question.symbols.at, question.symbols.count,
                                          cp_budgets.size_steps};
        cp_find_sizes(&sizes, &asked, exchange->arena);
        if (sizes.refusal != CP_CODE_COUNT) refuse(&reader, &question.stack, &sizes);
    }
    cp_enter(exchange, CP_ENCODING);
    if (reader.problems.count) {
        cp_problems_reply(&reader.problems, exchange->reply);
        return;
    }
    struct cp_sizes_question asked = {&question.stack, question.symbols.at, question.symbols.count,
                                      cp_budgets.size_steps};
    struct cp_sizes_reply reply = {&asked, &question.symbols, &sizes, question.style, exchange->arena};
    cp_writer_begin(&writer, exchange->arena, EXPECTED_BYTES);
    cp_write_sizes(&writer, &reply);
    cp_reply_json(exchange, &writer);
}
