/* POST /v1/roundtrip: does this decoder undo this encoder? */
#include "server/endpoints/endpoints.h"
#include "server/reading.h"
#include "server/roundtrip_writing.h"

static const char *const members[] = {"input", "encoder", "decoder", "explain", "covered", "dtype", "layout", NULL};
enum { REQUIRED_MEMBERS = 3 };

static bool read_question(struct cp_reader *reader, struct cp_text body, struct cp_stack *stack,
                          struct cp_plan_style *style)
{
    const struct cp_json *request = cp_read_body(reader, body);
    if (!request) return false;
    cp_read_known_members(reader, request, NULL, members, REQUIRED_MEMBERS);
    cp_read_layout(reader, request);
    *style = (struct cp_plan_style){.channels_last = reader->channels_last,
                                    .explain = cp_read_boolean(reader, request, "explain", false)};
    *stack = (struct cp_stack){.element_bytes = cp_read_element_bytes(reader, request),
                               .covered = cp_read_boolean(reader, request, "covered", false)};
    if (cp_json_member(request, CP_TEXT("input"))) cp_read_inputs(reader, request, stack);
    cp_read_encoder_and_decoder(reader, request, stack);
    return reader->problems.count == 0;
}

void cp_endpoint_roundtrip(struct cp_exchange *exchange)
{
    enum { BYTES_PER_LAYER = 512, BYTES_AROUND = 512 };
    struct cp_reader reader;
    struct cp_stack stack;
    struct cp_plan_style style;
    struct cp_plan plan;
    struct cp_pairing pairing;
    struct cp_writer writer;
    cp_reader_begin(&reader, exchange->arena);
    if (!read_question(&reader, exchange->request->body, &stack, &style)) {
        cp_problems_reply(&reader.problems, exchange->reply);
        return;
    }
    cp_enter(exchange, CP_COMPUTING);
    cp_plan_stack(&plan, &stack, CP_PLAN_ALL, exchange->arena);
    cp_pair_stages(&pairing, &stack, exchange->arena);
    cp_judge_roundtrip(&plan, &pairing, exchange->arena);
    cp_enter(exchange, CP_ENCODING);
    cp_writer_begin(&writer, exchange->arena, BYTES_AROUND + (size_t)BYTES_PER_LAYER * stack.layer_count);
    cp_write_roundtrip(&writer, &plan, &pairing, &style);
    cp_reply_json(exchange, &writer);
    exchange->reply->findings = plan.findings.first;
}
