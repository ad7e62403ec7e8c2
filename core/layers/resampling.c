/* Upsample, PixelShuffle, PixelUnshuffle. */
#include <math.h>

#include "core/layers/laws.h"

static const char *const modes[] = {"nearest",   "linear",        "bilinear", "bicubic",
                                    "trilinear", "nearest-exact", "area",     NULL};

enum { UPSAMPLE_SIZE, UPSAMPLE_SCALE, UPSAMPLE_MODE, UPSAMPLE_ALIGN };

static const struct cp_member upsample_members[] = {
    [UPSAMPLE_SIZE] = {.name = CP_TEXT_INIT("size"),
                       .type = CP_MEMBER_SIZES,
                       .offset = offsetof(struct cp_upsample, size),
                       .minimum = 1,
                       .nullable = true,
                       .default_text = "i · scale_factor",
                       .summary = "The output's spatial size: a number, or one per axis."},
    [UPSAMPLE_SCALE] = {.name = CP_TEXT_INIT("scale_factor"),
                        .type = CP_MEMBER_FACTORS,
                        .offset = offsetof(struct cp_upsample, scale_factor),
                        .nullable = true,
                        .default_text = "none",
                        .summary = "The factor, or one per axis; sizes are rounded down."},
    [UPSAMPLE_MODE] = {.name = CP_TEXT_INIT("mode"),
                       .type = CP_MEMBER_WORD,
                       .offset = offsetof(struct cp_upsample, mode),
                       .words = modes,
                       .summary = "How values between cells are found."},
    [UPSAMPLE_ALIGN] = {.name = CP_TEXT_INIT("align_corners"),
                        .type = CP_MEMBER_BOOLEAN,
                        .offset = offsetof(struct cp_upsample, align_corners),
                        .nullable = true,
                        .summary = "Whether the corner cells keep their values."},
};

int cp_axes_of_mode(int mode)
{
    switch (mode) {
    case CP_UPSAMPLE_LINEAR: return 1;
    case CP_UPSAMPLE_BILINEAR:
    case CP_UPSAMPLE_BICUBIC: return 2;
    case CP_UPSAMPLE_TRILINEAR: return 3;
    default: return 0;
    }
}

static bool upsample_legal(const struct cp_layer *layer, struct cp_refusal *refusal)
{
    const struct cp_upsample *upsample = layer->params;
    bool interpolates = cp_axes_of_mode(upsample->mode) > 0;
    if (upsample->size.count && upsample->scale_factor.count)
        *refusal = (struct cp_refusal){CP_CODE_conflicting_members, "scale_factor", "size"};
    else if (!upsample->size.count && !upsample->scale_factor.count)
        *refusal = (struct cp_refusal){CP_CODE_missing_member, NULL, "size` or `scale_factor"};
    else if (upsample->align_corners && !interpolates)
        *refusal = (struct cp_refusal){CP_CODE_conflicting_members, "align_corners", "mode"};
    else
        return true;
    return false;
}

bool cp_lists_all_axes(const struct cp_upsample *upsample, int axes)
{
    if (upsample->size.scalar || upsample->scale_factor.scalar) return true;
    return (upsample->size.count ? upsample->size.count : upsample->scale_factor.count) == axes;
}

static bool check_upsample(struct cp_inference *inference, const struct cp_upsample *upsample, int axes)
{
    int needed = cp_axes_of_mode(upsample->mode);
    bool right = true;
    if (needed && needed != axes) {
        cp_report(inference, CP_CODE_mode_needs_rank, "mode", CP_NO_AXIS,
                  CP_ARGUMENTS(cp_words(modes[upsample->mode]), cp_number(needed + 2), cp_number(axes + 2)));
        right = false;
    }
    if (!cp_lists_all_axes(upsample, axes)) {
        int sizes = upsample->size.count;
        cp_report(inference, CP_CODE_wrong_axis_count, sizes ? "size" : "scale_factor", CP_NO_AXIS,
                  CP_ARGUMENTS(cp_number(sizes ? sizes : upsample->scale_factor.count), cp_number(axes)));
        right = false;
    }
    return right;
}

bool cp_resized(int64_t input, double factor, int64_t *output)
{
    double size = floor((double)input * factor);
    if (size > (double)CP_MAX_COUNT) return false;
    *output = (int64_t)size;
    return true;
}

static bool upsample_axis(struct cp_inference *inference, const struct cp_upsample *upsample, int axis, int64_t *output)
{
    if (upsample->size.count) {
        *output = upsample->size.at[axis];
        return true;
    }
    int64_t input = inference->inputs[0]->size[axis + 2];
    if (!cp_resized(input, upsample->scale_factor.at[axis], output)) {
        cp_report(inference, CP_CODE_count_overflow, "scale_factor", axis, CP_ARGUMENTS(cp_words("the output's size")));
        return false;
    }
    if (*output >= 1) return true;
    cp_report(inference, CP_CODE_scale_leaves_nothing, "scale_factor", axis, CP_ARGUMENTS(cp_number(input)));
    return false;
}

static bool upsample_infer(struct cp_inference *inference)
{
    const struct cp_upsample *upsample = inference->layer->params;
    if (!cp_expect_rank(inference, 3, CP_MAX_AXES + 2)) return false;
    struct cp_shape *output = &inference->plan->output;
    *output = *inference->inputs[0];
    inference->plan->rule = upsample->size.count ? "o = size" : "o = ⌊i · scale_factor⌋";
    if (!check_upsample(inference, upsample, output->rank - 2)) return false;
    bool right = true;
    for (int axis = 0; axis < output->rank - 2; axis++)
        right = upsample_axis(inference, upsample, axis, &output->size[axis + 2]) && right;
    return right;
}

/* The factor as a fraction with a small denominator, exactly; false where there is none. */
static bool fraction_of(double factor, int64_t *numerator, int64_t *denominator)
{
    for (int64_t below = 1; below <= CP_MAX_FIELD_PHASES; below++) {
        double above = factor * (double)below;
        if (above > (double)(CP_MAX_COUNT >> 12)) return false;
        if (above != floor(above) || above / (double)below != factor) continue;
        *numerator = (int64_t)above;
        *denominator = below;
        return true;
    }
    return false;
}

/* Where output unit j lies in the input, as ⌊(j · numerator + offset)/denominator⌋, by PyTorch's rules. */
static bool resample_of(const struct cp_inference *inference, const struct cp_upsample *upsample, int axis,
                        struct cp_resample *resample)
{
    int64_t input = inference->inputs[0]->size[axis + 2], output = inference->plan->output.size[axis + 2];
    bool nearest = upsample->mode == CP_UPSAMPLE_NEAREST;
    bool exact = upsample->mode == CP_UPSAMPLE_NEAREST_EXACT;
    int64_t above = output, below = input; /* o/i, the factor */
    if (upsample->mode == CP_UPSAMPLE_AREA) return false;
    if (upsample->scale_factor.count && !fraction_of(upsample->scale_factor.at[axis], &above, &below)) return false;
    if (upsample->align_corners) {
        above = output > 1 ? output - 1 : 1;
        below = output > 1 ? input - 1 : 0;
    }
    int64_t common = cp_greatest_common_divisor(above, below);
    above /= common;
    below /= common;
    if (above > CP_MAX_FIELD_PHASES || below > CP_MAX_COUNT / 4) return false;
    if (nearest || upsample->align_corners)
        *resample = (struct cp_resample){.numerator = below, .offset = 0, .denominator = above};
    else /* (j + ½)·i/o, less ½ where values are interpolated */
        *resample = (struct cp_resample){2 * below, exact ? below : below - above, 2 * above, 0, 0, false};
    if (!nearest && !exact) {
        resample->after = upsample->mode == CP_UPSAMPLE_BICUBIC ? 2 : 1;
        resample->before = upsample->mode == CP_UPSAMPLE_BICUBIC ? -1 : 0;
        resample->exact_single = true;
    }
    return true;
}

static const struct cp_field *upsample_reach(struct cp_inference *inference)
{
    const struct cp_upsample *upsample = inference->layer->params;
    inference->field_reason = "the resampling has windows that differ, or no short period";
    const struct cp_field *field = cp_move_along(inference, inference->fields[0], 2, inference->plan->output.rank);
    for (int axis = 0; axis < inference->plan->output.rank - 2; axis++) {
        struct cp_resample resample;
        if (resample_of(inference, upsample, axis, &resample))
            field = cp_field_resample(inference->arena, field, axis + 2, &resample);
        else
            field = cp_field_forget(inference->arena, field, 1u << (axis + 2));
    }
    return field;
}

const struct cp_layer_kind cp_upsample_kind = {
    .family = "resampling",
    .summary = "Resizes the spatial axes.",
    CP_MEMBERS(upsample_members),
    CP_PARAMETERS(struct cp_upsample, .mode = CP_UPSAMPLE_NEAREST),
    .legal = upsample_legal,
    .stage = CP_STAGE_UPSAMPLE,
    .infer = upsample_infer,
    .law = cp_upsample_law,
    .reach = upsample_reach,
};

/* ---- PixelShuffle and PixelUnshuffle: on the last three dimensions ------------------------------------------------ */

static const struct cp_member shuffle_members[] = {
    {.name = CP_TEXT_INIT("upscale_factor"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_pixel_shuffle, factor),
     .required = true,
     .minimum = 1,
     .summary = "Factor r: C·r² channels become C, both axes grow by r."},
};

static const struct cp_member unshuffle_members[] = {
    {.name = CP_TEXT_INIT("downscale_factor"),
     .type = CP_MEMBER_INTEGER,
     .offset = offsetof(struct cp_pixel_shuffle, factor),
     .required = true,
     .minimum = 1,
     .summary = "Factor r: C channels become C·r², both axes shrink by r."},
};

static bool report_overflow(struct cp_inference *inference, const char *member)
{
    cp_report(inference, CP_CODE_count_overflow, member, CP_NO_AXIS, CP_ARGUMENTS(cp_words("the output's size")));
    return false;
}

static bool shuffle_infer(struct cp_inference *inference)
{
    const struct cp_pixel_shuffle *shuffle = inference->layer->params;
    if (!cp_expect_rank(inference, 3, CP_MAX_RANK)) return false;
    struct cp_shape *output = &inference->plan->output;
    *output = *inference->inputs[0];
    int64_t *last = &output->size[output->rank - 3];
    inference->plan->rule = "o = i·r";
    int64_t square;
    if (!cp_multiply(shuffle->factor, shuffle->factor, &square)) return report_overflow(inference, "upscale_factor");
    if (last[0] % square) {
        cp_report(inference, CP_CODE_not_divisible, "upscale_factor", CP_NO_AXIS,
                  CP_ARGUMENTS(cp_words("channels"), cp_number(last[0]), cp_words("upscale_factor²"), cp_number(square),
                               cp_number(last[0] % square), cp_number(cp_greatest_common_divisor(last[0], square))));
        return false;
    }
    last[0] /= square;
    if (cp_multiply(last[1], shuffle->factor, &last[1]) && cp_multiply(last[2], shuffle->factor, &last[2])) return true;
    return report_overflow(inference, "upscale_factor");
}

static bool unshuffle_infer(struct cp_inference *inference)
{
    const struct cp_pixel_shuffle *shuffle = inference->layer->params;
    if (!cp_expect_rank(inference, 3, CP_MAX_RANK)) return false;
    struct cp_shape *output = &inference->plan->output;
    *output = *inference->inputs[0];
    int64_t *last = &output->size[output->rank - 3];
    inference->plan->rule = "o = i/r";
    bool right = cp_expect_divides(inference, "downscale_factor", shuffle->factor, "height", last[1]);
    right = cp_expect_divides(inference, "downscale_factor", shuffle->factor, "width", last[2]) && right;
    if (!right) return false;
    last[1] /= shuffle->factor;
    last[2] /= shuffle->factor;
    int64_t square;
    if (cp_multiply(shuffle->factor, shuffle->factor, &square) && cp_multiply(last[0], square, &last[0])) return true;
    return report_overflow(inference, "downscale_factor");
}

/* The last two dimensions are moved along; the channels before them are regrouped. */
static const struct cp_field *reach_of_blocks(struct cp_inference *inference)
{
    int rank = inference->plan->output.rank;
    const struct cp_field *field = cp_field_forget(inference->arena, inference->fields[0], 1u << (rank - 3));
    if (field != inference->fields[0]) inference->field_reason = "some of the spatial axes lie in the channels";
    return cp_move_along(inference, field, rank - 2, rank);
}

static const struct cp_field *shuffle_reach(struct cp_inference *inference)
{
    const struct cp_pixel_shuffle *shuffle = inference->layer->params;
    const struct cp_field *field = reach_of_blocks(inference);
    struct cp_resample resample = {.numerator = 1, .denominator = shuffle->factor};
    for (int back = 2; back >= 1; back--)
        field = cp_field_resample(inference->arena, field, inference->plan->output.rank - back, &resample);
    return field;
}

/* A block of r × r cells goes to the channels of one position. */
static const struct cp_field *unshuffle_reach(struct cp_inference *inference)
{
    const struct cp_pixel_shuffle *shuffle = inference->layer->params;
    const struct cp_field *field = reach_of_blocks(inference);
    struct cp_window block = {.kernel = shuffle->factor, .stride = shuffle->factor, .dilation = 1};
    for (int back = 2; back >= 1; back--)
        field = cp_field_window(inference->arena, field, inference->plan->output.rank - back, &block);
    return field;
}

const struct cp_layer_kind cp_pixel_shuffle_kind = {
    .family = "resampling",
    .summary = "Moves channels into space: [N, C·r², H, W] becomes [N, C, H·r, W·r].",
    CP_MEMBERS(shuffle_members),
    CP_PARAMETERS(struct cp_pixel_shuffle, .factor = 1),
    .stage = CP_STAGE_SHUFFLE,
    .infer = shuffle_infer,
    .law = cp_pixel_shuffle_law,
    .reach = shuffle_reach,
};

const struct cp_layer_kind cp_pixel_unshuffle_kind = {
    .family = "resampling",
    .summary = "Moves space into channels: [N, C, H·r, W·r] becomes [N, C·r², H, W].",
    CP_MEMBERS(unshuffle_members),
    CP_PARAMETERS(struct cp_pixel_shuffle, .factor = 1),
    .stage = CP_STAGE_UNSHUFFLE,
    .infer = unshuffle_infer,
    .law = cp_pixel_unshuffle_law,
    .reach = unshuffle_reach,
};
