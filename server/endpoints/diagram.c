/* POST /v1/diagram.svg: a picture of a layer stack, with what is wrong with it. */
#include "core/figure/diagram.h"

#include "server/endpoints/endpoints.h"
#include "server/query.h"
#include "server/stack_question.h"

static const char *const parameters[] = {"theme", NULL};
static const char *const themes[] =
    {[CP_THEME_AUTO] = "auto", [CP_THEME_LIGHT] = "light", [CP_THEME_DARK] = "dark", NULL};

static const struct cp_path root = {0};

static void check_limit(struct cp_reader *reader, const char *what, int64_t count, int64_t limit)
{
    struct cp_path at = CP_PATH_MEMBER(&root, CP_TEXT("layers"));
    if (count > limit)
        cp_problem_add(&reader->problems, CP_CODE_limit_exceeded, &at,
                       CP_ARGUMENTS(cp_words(what), cp_number(count), cp_number(limit)));
}

/* "conv4, axis H: the kernel spans …" */
static struct cp_text finding_text(const struct cp_finding *finding, const struct cp_stack *stack, bool channels_last,
                                   struct cp_arena *arena)
{
    const char *letter = cp_axis_letter(finding->axis, finding->axes);
    struct cp_argument arguments[CP_MAX_ARGUMENTS];
    cp_arguments_in_layout(arena, finding, channels_last, arguments);
    struct cp_text detail = cp_message(arena, cp_statuses[finding->code].detail, arguments, finding->argument_count);
    return cp_message(
        arena, letter ? "{0}, axis {1}: {2}" : "{0}: {2}",
        CP_ARGUMENTS(cp_name(stack->layers[finding->layer].name), cp_words(letter ? letter : ""), cp_name(detail)));
}

static void write_notes(struct cp_diagram *diagram, struct cp_arena *arena)
{
    const struct cp_findings *findings = &diagram->plan->findings;
    struct cp_diagram_note *notes = CP_NEW_ARRAY(arena, struct cp_diagram_note, findings->count);
    for (const struct cp_finding *finding = findings->first; finding; finding = finding->next)
        notes[diagram->note_count++] =
            (struct cp_diagram_note){finding->layer, finding->severity == CP_SEVERITY_ERROR,
                                     finding_text(finding, diagram->plan->stack, diagram->channels_last, arena)};
    diagram->notes = notes;
}

void cp_endpoint_diagram(struct cp_exchange *exchange)
{
    struct cp_reply *reply = exchange->reply;
    struct cp_reader reader;
    struct cp_query query;
    struct cp_stack_question question;
    struct cp_plan plan;
    cp_reader_begin(&reader, exchange->arena);
    cp_query_read(&query, exchange->request->query, parameters, 0, &reader.problems);
    struct cp_diagram diagram = {.plan = &plan,
                                 .theme = (enum cp_theme)cp_query_word(&query, "theme", themes, CP_THEME_AUTO)};
    if (cp_read_stack_question(&reader, exchange->request->body, &question)) {
        check_limit(&reader, "layers of a diagram", question.stack.layer_count, CP_MAX_DIAGRAM_LAYERS);
        check_limit(&reader, "connections of a diagram", cp_diagram_connections(&question.stack),
                    CP_MAX_DIAGRAM_CONNECTIONS);
    }
    if (reader.problems.count) {
        cp_problems_reply(&reader.problems, reply);
        return;
    }
    cp_enter(exchange, CP_COMPUTING);
    cp_plan_stack(&plan, &question.stack, CP_PLAN_ALL, exchange->arena);
    cp_enter(exchange, CP_ENCODING);
    diagram.channels_last = question.style.channels_last;
    write_notes(&diagram, exchange->arena);
    reply->status = 200;
    reply->content_type = "image/svg+xml";
    reply->body = cp_diagram_draw(&diagram, exchange->arena);
}
