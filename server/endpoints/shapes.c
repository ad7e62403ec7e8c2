/* POST /v1/shapes: layer stack → per-layer shapes. */
#include "core/plan.h"
#include "server/endpoints/endpoints.h"
#include "server/stack_question.h"

static void write_inputs(struct cp_writer *writer, const struct cp_stack_question *question)
{
    const struct cp_stack *stack = &question->stack;
    bool plain = stack->input_count == 1 && cp_text_equal(stack->inputs[0].name, CP_TEXT("input"));
    if (plain) {
        CP_WRITE_NAME(writer, "input");
        cp_write_layout_shape(writer, &question->style, &stack->inputs[0].shape);
        return;
    }
    CP_WRITE_NAME(writer, "inputs");
    cp_write_object_begin(writer);
    for (uint32_t at = 0; at < stack->input_count; at++) {
        cp_write_name(writer, stack->inputs[at].name);
        cp_write_layout_shape(writer, &question->style, &stack->inputs[at].shape);
    }
    cp_write_object_end(writer);
}

static void write_totals(struct cp_writer *writer, const struct cp_plan *plan)
{
    CP_WRITE_NAME(writer, "totals");
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "params");
    cp_write_count(writer, plan->params);
    CP_WRITE_NAME(writer, "macs");
    cp_write_count(writer, plan->macs);
    CP_WRITE_NAME(writer, "flops");
    cp_write_count(writer, plan->flops);
    CP_WRITE_NAME(writer, "output_bytes");
    cp_write_count(writer, plan->output_bytes);
    CP_WRITE_NAME(writer, "peak_activation_bytes");
    cp_write_count(writer, plan->peak_activation_bytes);
    cp_write_object_end(writer);
}

static void write_answer(struct cp_writer *writer, const struct cp_stack_question *question, const struct cp_plan *plan)
{
    const struct cp_layer_plan *last = &plan->layers[question->stack.layer_count - 1];
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "valid");
    cp_write_boolean(writer, plan->valid);
    write_inputs(writer, question);
    CP_WRITE_NAME(writer, "output");
    if (last->state == CP_LAYER_PLANNED)
        cp_write_layout_shape(writer, &question->style, &last->output);
    else
        cp_write_null(writer);
    CP_WRITE_NAME(writer, "layers");
    cp_write_planned_layers(writer, plan, 0, question->stack.layer_count, &question->style);
    write_totals(writer, plan);
    cp_write_all_findings(writer, plan, &question->style);
    cp_write_object_end(writer);
}

void cp_endpoint_shapes(struct cp_exchange *exchange)
{
    enum { BYTES_PER_LAYER = 320, BYTES_AROUND = 2560 };
    struct cp_reader reader;
    struct cp_stack_question question;
    struct cp_plan plan;
    struct cp_writer writer;
    cp_reader_begin(&reader, exchange->arena);
    if (!cp_read_stack_question(&reader, exchange->request->body, &question)) {
        cp_problems_reply(&reader.problems, exchange->reply);
        return;
    }
    cp_enter(exchange, CP_COMPUTING);
    cp_plan_stack(&plan, &question.stack, CP_PLAN_ALL, exchange->arena);
    cp_enter(exchange, CP_ENCODING);
    cp_writer_begin(&writer, exchange->arena, BYTES_AROUND + (size_t)BYTES_PER_LAYER * question.stack.layer_count);
    write_answer(&writer, &question, &plan);
    cp_reply_json(exchange, &writer);
    exchange->reply->findings = plan.findings.first;
}
