#include "server/plan_writing.h"

#include "core/checked.h"
#include "core/relationships.h"
#include "server/json/put.h"
#include "server/problem.h"

void cp_write_layout_shape(struct cp_writer *writer, const struct cp_plan_style *style, const struct cp_shape *shape)
{
    if (!style->channels_last) {
        cp_write_shape(writer, shape);
        return;
    }
    struct cp_shape last = cp_shape_to_channels_last(shape);
    cp_write_shape(writer, &last);
}

const char *cp_axis_letter(int axis, int axes)
{
    static const char *const letters[] = {"D", "H", "W"};
    if (axis < 0 || axes < 1 || axes > CP_MAX_AXES || axis >= axes) return NULL;
    return axes == 1 ? "L" : letters[CP_MAX_AXES - axes + axis];
}

/* ---- Receptive fields --------------------------------------------------------------------------------------------- */

/* Tracked axes in the order of the dimensions that they are, which nearly always is that of the axes. */
static int tracked_axes(const struct cp_field *field, const struct cp_axis_field *axes[CP_MAX_RANK])
{
    int count = 0;
    for (int at = 0; at < field->axis_count; at++) {
        const struct cp_axis_field *axis = &field->axis[at];
        if (axis->state != CP_FIELD_TRACKED) continue;
        int place = count++;
        for (; place && axes[place - 1]->dims > axis->dims; place--) axes[place] = axes[place - 1];
        axes[place] = axis;
    }
    return count;
}

/* A number, or a fraction in quotes. */
static char *put_stride(char *out, const struct cp_axis_field *axis)
{
    if (axis->phases == 1) return cp_put_integer(out, axis->advance);
    int64_t common = cp_greatest_common_divisor(axis->advance, axis->phases), advance = axis->advance;
    int64_t phases = axis->phases;
    if (common > 1) advance /= common, phases /= common;
    if (phases == 1) return cp_put_integer(out, advance);
    out = CP_PUT(out, "\"");
    out = cp_put_integer(out, advance);
    out = CP_PUT(out, "/");
    out = cp_put_integer(out, phases);
    return CP_PUT(out, "\"");
}

/* Null where nothing is seen. */
static char *put_start(char *out, const struct cp_axis_field *axis)
{
    return axis->first.low > axis->first.high ? CP_PUT(out, "null") : cp_put_integer(out, axis->first.low);
}

static char *put_size(char *out, const struct cp_axis_field *axis)
{
    return cp_put_integer(out, cp_axis_field_size(axis));
}

static inline char *put_list(char *out, char *put(char *, const struct cp_axis_field *),
                             const struct cp_axis_field *const *axes, int count)
{
    *out++ = '[';
    for (int at = 0; at < count; at++) {
        *out = ',';
        out = put(out + (at > 0), axes[at]);
    }
    *out = ']';
    return out + 1;
}

static char *put_field(char *out, const struct cp_field *field)
{
    const struct cp_axis_field *axes[CP_MAX_RANK];
    enum cp_field_kind kind = field ? cp_field_kind(field) : CP_FIELD_NONE;
    if (kind == CP_FIELD_NONE) return CP_PUT(out, "null");
    if (kind == CP_FIELD_GLOBAL) return CP_PUT(out, "\"global\"");
    int count = tracked_axes(field, axes);
    out = CP_PUT(out, "{\"size\":");
    out = put_list(out, put_size, axes, count);
    out = CP_PUT(out, ",\"stride\":");
    out = put_list(out, put_stride, axes, count);
    out = CP_PUT(out, ",\"start\":");
    out = put_list(out, put_start, axes, count);
    return CP_PUT(out, "}");
}

/* ---- Layers ------------------------------------------------------------------------------------------------------- */

static struct cp_text source_name(const struct cp_stack *stack, uint32_t source)
{
    return source < stack->input_count ? stack->inputs[source].name : stack->layers[source - stack->input_count].name;
}

static void write_formulas(struct cp_writer *writer, const struct cp_layer *layer, const struct cp_layer_plan *plan,
                           const struct cp_plan_style *style)
{
    enum { ROOM = 512 };
    char formula[ROOM];
    cp_write_array_begin(writer);
    for (int axis = 0; plan->trace && axis < layer->type->axes; axis++) {
        size_t size =
            cp_relationship_formula(formula, sizeof formula, plan->relationship, plan->operation, &plan->trace[axis]);
        cp_write_text(writer, (struct cp_text){formula, size});
    }
    if (!plan->trace && plan->rule) {
        struct cp_shape output = style->channels_last ? cp_shape_to_channels_last(&plan->output) : plan->output;
        cp_write_text(
            writer, cp_message(writer->arena, "{0}: {1}", CP_ARGUMENTS(cp_words(plan->rule), cp_dimensions(&output))));
    }
    cp_write_array_end(writer);
}

static void write_explanation(struct cp_writer *writer, const struct cp_layer *layer, const struct cp_layer_plan *plan,
                              const struct cp_plan_style *style)
{
    CP_WRITE_NAME(writer, "formula");
    if (plan->state == CP_LAYER_PLANNED)
        write_formulas(writer, layer, plan, style);
    else
        cp_write_null(writer);
}

/* All that a layer's numbers and their names take: of each axis its size, and its field's size, stride and start. */
enum { NUMBERS_ROOM = 256 + (CP_MAX_RANK * 5 + 4) * CP_NUMBER_ROOM };

/* Most of a reply. */
static void write_numbers(struct cp_writer *writer, const struct cp_layer_plan *plan, const struct cp_plan_style *style)
{
    char *out = cp_writer_room(writer, NUMBERS_ROOM);
    out = CP_PUT(out, ",\"output\":");
    if (plan->state != CP_LAYER_PLANNED) {
        out = CP_PUT(out, "null");
    } else if (style->channels_last) {
        struct cp_shape last = cp_shape_to_channels_last(&plan->output);
        out = cp_put_shape(out, &last);
    } else {
        out = cp_put_shape(out, &plan->output);
    }
    out = CP_PUT(out, ",\"params\":");
    out = cp_put_count(out, plan->params);
    out = CP_PUT(out, ",\"macs\":");
    out = cp_put_count(out, plan->macs);
    out = CP_PUT(out, ",\"output_bytes\":");
    out = cp_put_count(out, plan->output_bytes);
    out = CP_PUT(out, ",\"receptive_field\":");
    out = put_field(out, plan->field);
    out = CP_PUT(out, ",\"relationship\":");
    out = plan->relationship ? cp_put_integer(out, plan->relationship) : CP_PUT(out, "null");
    cp_writer_end_value(writer, out);
}

/* And the beginning of the list of sources. */
static void write_type(struct cp_writer *writer, const struct cp_layer_type *type)
{
    char *out = cp_writer_room(writer, UINT8_MAX);
    out = CP_PUT(out, ",\"type\":\"");
    out = cp_put_bytes(out, type->name, type->name_size);
    out = CP_PUT(out, "\",\"from\":[");
    writer->follows = false;
    cp_writer_advance(writer, out);
}

static void write_layer(struct cp_writer *writer, const struct cp_stack *stack, const struct cp_layer *layer,
                        const struct cp_layer_plan *plan, const struct cp_plan_style *style)
{
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "name");
    cp_write_text(writer, layer->name);
    write_type(writer, layer->type);
    for (uint32_t at = 0; at < layer->source_count; at++) cp_write_text(writer, source_name(stack, layer->sources[at]));
    cp_write_array_end(writer);
    write_numbers(writer, plan, style);
    if (style->explain) write_explanation(writer, layer, plan, style);
    cp_write_object_end(writer);
}

void cp_write_planned_layers(struct cp_writer *writer, const struct cp_plan *plan, uint32_t begin, uint32_t end,
                             const struct cp_plan_style *style)
{
    cp_write_array_begin(writer);
    for (uint32_t at = begin; at < end; at++)
        write_layer(writer, plan->stack, &plan->stack->layers[at], &plan->layers[at], style);
    cp_write_array_end(writer);
}

/* ---- Findings ----------------------------------------------------------------------------------------------------- */

static void write_fix_value(struct cp_writer *writer, const struct cp_fix *fix)
{
    switch (fix->form) {
    case CP_FIX_INTEGER: cp_write_integer(writer, fix->values[0]); break;
    case CP_FIX_LIST: cp_write_integers(writer, fix->values, fix->count); break;
    case CP_FIX_PAIRS:
        cp_write_array_begin(writer);
        for (int pair = 0; pair < fix->count; pair++) cp_write_integers(writer, &fix->values[2 * pair], 2);
        cp_write_array_end(writer);
        break;
    case CP_FIX_BOOLEAN: cp_write_boolean(writer, fix->values[0] != 0); break;
    case CP_FIX_WORD: cp_write_string(writer, fix->word); break;
    case CP_FIX_NULL: cp_write_null(writer); break;
    }
}

static struct cp_text pointer_to(struct cp_arena *arena, const struct cp_stack *stack, const char *base, uint32_t layer,
                                 const char *member)
{
    if (stack->encoder_count) base = layer < stack->encoder_count ? "/encoder" : "/decoder";
    if (layer >= stack->encoder_count) layer -= stack->encoder_count;
    return cp_message(arena, member ? "{0}/{1}/{2}" : "{0}/{1}",
                      CP_ARGUMENTS(cp_words(base), cp_number(layer), cp_words(member ? member : "")));
}

void cp_arguments_in_layout(struct cp_arena *arena, const struct cp_finding *finding, bool channels_last,
                            struct cp_argument arguments[CP_MAX_ARGUMENTS])
{
    memcpy(arguments, finding->arguments, sizeof finding->arguments);
    for (int at = 0; channels_last && at < finding->argument_count; at++) {
        if (arguments[at].kind != CP_ARGUMENT_SHAPE) continue;
        struct cp_shape *last = CP_NEW(arena, struct cp_shape);
        *last = cp_shape_to_channels_last(arguments[at].shape);
        arguments[at].shape = last;
    }
}

void cp_write_finding(struct cp_writer *writer, const struct cp_stack *stack, const struct cp_finding *finding,
                      const struct cp_plan_style *style)
{
    const struct cp_status *status = &cp_statuses[finding->code];
    const char *letter = cp_axis_letter(finding->axis, finding->axes);
    struct cp_argument arguments[CP_MAX_ARGUMENTS];
    cp_arguments_in_layout(writer->arena, finding, style->channels_last, arguments);
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "code");
    cp_write_string(writer, status->code);
    CP_WRITE_NAME(writer, "severity");
    cp_write_string(writer, finding->severity == CP_SEVERITY_ERROR ? "error" : "warning");
    CP_WRITE_NAME(writer, "layer");
    cp_write_text(writer, stack->layers[finding->layer].name);
    CP_WRITE_NAME(writer, "pointer");
    cp_write_text(writer, pointer_to(writer->arena, stack, style->base, finding->layer, finding->member));
    CP_WRITE_NAME(writer, "axis");
    if (letter)
        cp_write_string(writer, letter);
    else
        cp_write_null(writer);
    CP_WRITE_NAME(writer, "detail");
    cp_write_text(writer, cp_message(writer->arena, status->detail, arguments, finding->argument_count));
    if (status->suggestion[0]) {
        CP_WRITE_NAME(writer, "suggestion");
        cp_write_text(writer, cp_message(writer->arena, status->suggestion, arguments, finding->argument_count));
    }
    if (finding->fix.member) {
        CP_WRITE_NAME(writer, "fix");
        cp_write_object_begin(writer);
        CP_WRITE_NAME(writer, "pointer");
        cp_write_text(writer, pointer_to(writer->arena, stack, style->base, finding->layer, finding->fix.member));
        CP_WRITE_NAME(writer, "value");
        write_fix_value(writer, &finding->fix);
        cp_write_object_end(writer);
    }
    cp_write_object_end(writer);
}

void cp_write_all_findings(struct cp_writer *writer, const struct cp_plan *plan, const struct cp_plan_style *style)
{
    CP_WRITE_NAME(writer, "findings");
    cp_write_array_begin(writer);
    for (const struct cp_finding *finding = plan->findings.first; finding; finding = finding->next)
        cp_write_finding(writer, plan->stack, finding, style);
    cp_write_array_end(writer);
    if (!plan->findings.dropped) return;
    CP_WRITE_NAME(writer, "findings_omitted");
    cp_write_integer(writer, plan->findings.dropped);
}
