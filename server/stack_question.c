#include "server/stack_question.h"

static const char *const members[] = {"layers", "input", "inputs", "explain", "covered", "dtype", "layout", NULL};
enum { REQUIRED_MEMBERS = 1 };

bool cp_read_stack_question(struct cp_reader *reader, struct cp_text body, struct cp_stack_question *question)
{
    const struct cp_json *request = cp_read_body(reader, body);
    if (!request) return false;
    cp_read_known_members(reader, request, NULL, members, REQUIRED_MEMBERS);
    cp_read_layout(reader, request);
    question->style = (struct cp_plan_style){.channels_last = reader->channels_last,
                                             .explain = cp_read_boolean(reader, request, "explain", false),
                                             .base = "/layers"};
    question->stack = (struct cp_stack){.element_bytes = cp_read_element_bytes(reader, request),
                                        .covered = cp_read_boolean(reader, request, "covered", false)};
    cp_read_inputs(reader, request, &question->stack);
    cp_read_layers(reader, request, "layers", &question->stack);
    return reader->problems.count == 0;
}
