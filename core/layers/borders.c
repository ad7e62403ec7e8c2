/* Padding layers and crops. */
#include "core/layers/laws.h"

static const struct cp_member border_members[] = {
    {.name = CP_TEXT_INIT("padding"),
     .type = CP_MEMBER_BORDERS,
     .offset = offsetof(struct cp_border, padding),
     .required = true,
     .minimum = -CP_MAX_COUNT,
     .summary = "Cells added on each side: a number, PyTorch's flat list (last axis first) or [begin, end] pairs "
                "(first axis first); negative crops."},
};

static const struct cp_member constant_members[] = {
    {.name = CP_TEXT_INIT("padding"),
     .type = CP_MEMBER_BORDERS,
     .offset = offsetof(struct cp_border, padding),
     .required = true,
     .minimum = -CP_MAX_COUNT,
     .summary = "Cells added on each side: a number, PyTorch's flat list (last axis first) or [begin, end] pairs "
                "(first axis first); negative crops."},
    {.name = CP_TEXT_INIT("value"),
     .type = CP_MEMBER_NUMBER,
     .offset = offsetof(struct cp_border, value),
     .summary = "The value of the new cells."},
};

/* `most`: the widest border that the rule can fill from an input of this size. */
static bool border_axis(struct cp_inference *inference, int axis, int64_t most, int64_t *output)
{
    const struct cp_border *border = inference->layer->params;
    int64_t input = inference->inputs[0]->size[axis + 2];
    int64_t begin = border->padding.begin[axis], end = border->padding.end[axis];
    if (begin > most || end > most) {
        cp_report(inference, CP_CODE_border_too_wide, "padding", axis,
                  CP_ARGUMENTS(cp_words(inference->layer->type->name), cp_number(begin > end ? begin : end),
                               cp_number(most), cp_number(input)));
        return false;
    }
    int64_t size;
    if (!cp_add(input, begin, &size) || !cp_add(size, end, &size)) {
        cp_report(inference, CP_CODE_count_overflow, "padding", axis, CP_ARGUMENTS(cp_words("the output's size")));
        return false;
    }
    if (size < 1 || begin < -input || end < -input) {
        cp_report(inference, CP_CODE_crop_leaves_nothing, "padding", axis,
                  CP_ARGUMENTS(cp_number(input), cp_number(begin), cp_number(end)));
        return false;
    }
    *output = size;
    return true;
}

/* `margin`: how much less than the input a border must be; below 0: no such rule. */
static bool infer_border(struct cp_inference *inference, int64_t margin)
{
    if (!cp_expect_window_rank(inference)) return false;
    struct cp_shape *output = &inference->plan->output;
    *output = *inference->inputs[0];
    inference->plan->rule = "o = i + p_b + p_e";
    bool right = true;
    for (int axis = 0; axis < inference->axes; axis++) {
        int64_t most = margin < 0 ? CP_MAX_COUNT : inference->inputs[0]->size[axis + 2] - margin;
        right = border_axis(inference, axis, most, &output->size[axis + 2]) && right;
    }
    return right;
}

static bool filled_infer(struct cp_inference *inference)
{
    return infer_border(inference, -1);
}

/* A reflection does not repeat the edge, so it has one cell less to give. */
static bool reflection_infer(struct cp_inference *inference)
{
    return infer_border(inference, 1);
}

static bool circular_infer(struct cp_inference *inference)
{
    return infer_border(inference, 0);
}

static const struct cp_field *border_reach(struct cp_inference *inference)
{
    const struct cp_border *border = inference->layer->params;
    const struct cp_field *field = cp_move_along(inference, inference->fields[0], 2, inference->axes + 2);
    for (int axis = 0; axis < inference->axes; axis++) {
        struct cp_window shift = {1, 1, 1, border->padding.begin[axis], border->padding.end[axis], CP_ROUND_FLOOR};
        field = cp_field_window(inference->arena, field, axis + 2, &shift);
    }
    return field;
}

#define BORDER(members_, infer_, law_, text)                                                                           \
    {                                                                                                                  \
        .family = "padding", .summary = (text), CP_MEMBERS(members_), CP_PARAMETERS(struct cp_border, .value = 0),     \
        .stage = CP_STAGE_BORDER, .infer = (infer_), .reach = border_reach, .law = (law_),                             \
    }

const struct cp_layer_kind cp_zero_pad_kind =
    BORDER(border_members, filled_infer, cp_filled_border_law, "Adds zeros around the axes.");
const struct cp_layer_kind cp_constant_pad_kind =
    BORDER(constant_members, filled_infer, cp_filled_border_law, "Adds a constant around the axes.");
const struct cp_layer_kind cp_reflection_pad_kind =
    BORDER(border_members, reflection_infer, cp_reflection_border_law,
           "Mirrors the input at its edges; each border is less than the axis.");
const struct cp_layer_kind cp_replication_pad_kind =
    BORDER(border_members, filled_infer, cp_filled_border_law, "Repeats the edges of the input.");
const struct cp_layer_kind cp_circular_pad_kind = BORDER(border_members, circular_infer, cp_circular_border_law,
                                                         "Wraps the input around; each border is at most the axis.");

/* ---- CenterCrop ------------------------------------------------------------------------------------------------- */

enum { CROP_OUTPUT_SIZE, CROP_LIKE };

static const struct cp_member crop_members[] = {
    [CROP_OUTPUT_SIZE] = {.name = CP_TEXT_INIT("output_size"),
                          .type = CP_MEMBER_AXES,
                          .offset = offsetof(struct cp_crop, output_size),
                          .minimum = 1,
                          .default_text = "as `like`",
                          .summary = "Size of the output on each axis, at most the input's."},
    [CROP_LIKE] = {.name = CP_TEXT_INIT("like"),
                   .type = CP_MEMBER_LAYER,
                   .offset = offsetof(struct cp_crop, like),
                   .default_text = "none",
                   .summary = "Name of the layer whose spatial size to match."},
};

static bool crop_legal(const struct cp_layer *layer, struct cp_refusal *refusal)
{
    bool sized = cp_given(layer, CROP_OUTPUT_SIZE), like = cp_given(layer, CROP_LIKE);
    if (sized && like)
        *refusal = (struct cp_refusal){CP_CODE_conflicting_members, "like", "output_size"};
    else if (!sized && !like)
        *refusal = (struct cp_refusal){CP_CODE_missing_member, NULL, "output_size` or `like"};
    else
        return true;
    return false;
}

/* The sizes to crop to; false when `like` names a layer whose shape is not known or has another rank. */
static bool crop_target(struct cp_inference *inference, const struct cp_crop *crop, const int64_t **target)
{
    *target = crop->output_size;
    if (crop->like.name.size == 0) return true;
    const struct cp_shape *model = cp_plan_source_shape(inference->whole, crop->like.source);
    if (!model) {
        inference->plan->state = CP_LAYER_SKIPPED;
        return false;
    }
    *target = &model->size[2];
    if (model->rank == inference->axes + 2) return true;
    cp_report(inference, CP_CODE_like_rank_differs, "like", CP_NO_AXIS,
              CP_ARGUMENTS(cp_name(crop->like.name), cp_dimensions(model), cp_number(inference->axes + 2)));
    return false;
}

static bool crop_infer(struct cp_inference *inference)
{
    const struct cp_crop *crop = inference->layer->params;
    const int64_t *target;
    if (!cp_expect_window_rank(inference) || !crop_target(inference, crop, &target)) return false;
    struct cp_shape *output = &inference->plan->output;
    *output = *inference->inputs[0];
    inference->plan->rule = "o = output_size";
    const char *member = crop->like.name.size ? "like" : "output_size";
    bool right = true;
    for (int axis = 0; axis < inference->axes; axis++) {
        int64_t input = inference->inputs[0]->size[axis + 2];
        output->size[axis + 2] = target[axis];
        if (target[axis] <= input) continue;
        cp_report(inference, CP_CODE_crop_exceeds_input, member, axis,
                  CP_ARGUMENTS(cp_number(target[axis]), cp_number(input)));
        right = false;
    }
    return right;
}

static const struct cp_field *crop_reach(struct cp_inference *inference)
{
    const struct cp_field *field = cp_move_along(inference, inference->fields[0], 2, inference->axes + 2);
    for (int axis = 0; axis < inference->axes; axis++) {
        int64_t spare = inference->inputs[0]->size[axis + 2] - inference->plan->output.size[axis + 2];
        struct cp_window shift = {1, 1, 1, -(spare / 2), 0, CP_ROUND_FLOOR};
        field = cp_field_window(inference->arena, field, axis + 2, &shift);
    }
    return field;
}

const struct cp_layer_kind cp_center_crop_kind = {
    .family = "cropping",
    .summary = "Keeps the middle of each axis: ⌊(i − o)/2⌋ cells go at the beginning.",
    CP_MEMBERS(crop_members),
    CP_PARAMETERS(struct cp_crop, .output_size = {0}),
    .legal = crop_legal,
    .stage = CP_STAGE_CROP,
    .refers = true,
    .infer = crop_infer,
    .law = cp_crop_law,
    .reach = crop_reach,
};
