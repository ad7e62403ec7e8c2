/* POST /v1/decoder: the decoder that undoes this encoder. */
#include "core/decoder.h"

#include "core/graph.h"
#include "core/roundtrip.h"
#include "server/endpoints/endpoints.h"
#include "server/layer_writing.h"
#include "server/reading.h"
#include "server/roundtrip_writing.h"
#include "server/seed.h"

static const char *const members[] = {"input", "encoder", "pool_inverse", "explain", "dtype", "layout", NULL};
enum { REQUIRED_MEMBERS = 2 };

struct question {
    struct cp_stack encoder;
    struct cp_plan_style style;
    enum cp_pool_inverse pools;
};

struct answer {
    struct cp_plan plan; /* of the encoder alone */
    bool designed;
    struct cp_decoder decoder;
    struct cp_stack both;
    struct cp_plan both_plan;
    struct cp_pairing pairing;
};

static bool read_question(struct cp_reader *reader, struct cp_text body, struct question *question)
{
    static const char *const inverses[] = {"conv_transpose", "unpool", "upsample", NULL};
    const struct cp_json *request = cp_read_body(reader, body);
    if (!request) return false;
    cp_read_known_members(reader, request, NULL, members, REQUIRED_MEMBERS);
    cp_read_layout(reader, request);
    question->style = (struct cp_plan_style){.channels_last = reader->channels_last,
                                             .explain = cp_read_boolean(reader, request, "explain", false),
                                             .base = "/encoder"};
    question->pools = (enum cp_pool_inverse)cp_read_word(reader, request, "pool_inverse", inverses, 0);
    question->encoder = (struct cp_stack){.element_bytes = cp_read_element_bytes(reader, request)};
    if (cp_json_member(request, CP_TEXT("input"))) cp_read_inputs(reader, request, &question->encoder);
    cp_read_layers(reader, request, "encoder", &question->encoder);
    return reader->problems.count == 0;
}

/* Encoder and decoder as one stack, linked anew and judged. Names of the decoder are made from those of the encoder; one
 * that would clash is left to be numbered. */
static void judge(struct answer *answer, const struct question *question, struct cp_arena *arena)
{
    const struct cp_stack *encoder = &question->encoder;
    uint32_t count = encoder->layer_count + answer->decoder.layer_count;
    struct cp_layer *layers = CP_NEW_ARRAY(arena, struct cp_layer, count);
    memcpy(layers, encoder->layers, encoder->layer_count * sizeof *layers);
    memcpy(layers + encoder->layer_count, answer->decoder.layers, answer->decoder.layer_count * sizeof *layers);
    answer->both = *encoder;
    answer->both.layers = layers;
    answer->both.layer_count = count;
    answer->both.encoder_count = encoder->layer_count;
    while (cp_graph_link(&answer->both, layers, cp_process_seed(), arena))
        for (uint32_t at = encoder->layer_count; at < count; at++) layers[at].name = (struct cp_text){0};
    cp_plan_stack(&answer->both_plan, &answer->both, CP_PLAN_ALL, arena);
    cp_pair_stages(&answer->pairing, &answer->both, arena);
    cp_judge_roundtrip(&answer->both_plan, &answer->pairing, arena);
}

static void answer_question(struct answer *answer, const struct question *question, struct cp_arena *arena)
{
    cp_plan_stack(&answer->plan, &question->encoder, CP_PLAN_ALL, arena);
    answer->designed = cp_design_decoder(&answer->decoder, &answer->plan, question->pools, arena);
    answer->plan.valid = answer->plan.findings.errors == 0;
    if (answer->designed) judge(answer, question, arena);
}

static void write_answer(struct cp_writer *writer, const struct answer *answer, const struct question *question)
{
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "valid");
    cp_write_boolean(writer, answer->designed && answer->plan.valid && answer->both_plan.valid);
    CP_WRITE_NAME(writer, "decoder");
    if (answer->designed) {
        cp_write_array_begin(writer);
        for (uint32_t at = answer->both.encoder_count; at < answer->both.layer_count; at++)
            cp_write_layer(writer, &answer->both.layers[at], question->style.channels_last);
        cp_write_array_end(writer);
    } else {
        cp_write_null(writer);
    }
    CP_WRITE_NAME(writer, "roundtrip");
    if (answer->designed)
        cp_write_roundtrip(writer, &answer->both_plan, &answer->pairing, &question->style);
    else
        cp_write_null(writer);
    CP_WRITE_NAME(writer, "notes");
    cp_write_array_begin(writer);
    if (answer->designed)
        cp_write_string(writer, "The last layer has no activation: which one depends on the range of the data "
                                "(Sigmoid for [0, 1], Tanh for [-1, 1], none for unbounded values).");
    cp_write_array_end(writer);
    cp_write_all_findings(writer, &answer->plan, &question->style);
    cp_write_object_end(writer);
}

void cp_endpoint_decoder(struct cp_exchange *exchange)
{
    enum { BYTES_PER_LAYER = 1024, BYTES_AROUND = 512 };
    struct cp_reader reader;
    struct question question;
    struct answer answer = {0};
    struct cp_writer writer;
    cp_reader_begin(&reader, exchange->arena);
    if (!read_question(&reader, exchange->request->body, &question)) {
        cp_problems_reply(&reader.problems, exchange->reply);
        return;
    }
    cp_enter(exchange, CP_COMPUTING);
    answer_question(&answer, &question, exchange->arena);
    cp_enter(exchange, CP_ENCODING);
    cp_writer_begin(&writer, exchange->arena, BYTES_AROUND + (size_t)BYTES_PER_LAYER * question.encoder.layer_count);
    write_answer(&writer, &answer, &question);
    cp_reply_json(exchange, &writer);
    exchange->reply->findings = answer.plan.findings.first;
}
