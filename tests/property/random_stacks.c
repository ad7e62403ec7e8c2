#include "tests/property/random_stacks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t draw(struct cp_random_request *request, uint32_t below)
{
    return below > 1 ? (uint32_t)cp_random_within(&request->random, 0, (int)below - 1) : 0;
}

__attribute__((format(printf, 2, 3))) static void put(struct cp_random_request *request, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(request->text + request->size, sizeof request->text - request->size, format, arguments);
    va_end(arguments);
    request->size += (size_t)size;
    if (request->size >= sizeof request->text) abort();
}

/* Begin a layer named x0, x1 …; numbered types get their axes. */
static void begin_layer(struct cp_random_request *request, const char *type, bool numbered)
{
    put(request, "%s{\"name\": \"x%d\", \"type\": \"%s", request->layers ? ", " : "", request->layers, type);
    put(request, numbered ? "%dd\"" : "\"", request->axes);
    request->layers++;
}

static const char *pick_source(struct cp_random_request *request, char name[16])
{
    int source = (int)draw(request, (uint32_t)request->layers);
    if (source == 0)
        snprintf(name, 16, "input");
    else
        snprintf(name, 16, "x%d", source - 1);
    return name;
}

static void put_axis_list(struct cp_random_request *request, const char *member, int least, int most)
{
    put(request, ", \"%s\": [", member);
    for (int axis = 0; axis < request->axes; axis++)
        put(request, "%s%d", axis ? ", " : "", least + (int)draw(request, (uint32_t)(most - least + 1)));
    put(request, "]");
}

static void put_member(struct cp_random_request *request, const char *member, int least, int most)
{
    if (draw(request, 8) == 0)
        put_axis_list(request, member, least, most);
    else
        put(request, ", \"%s\": %d", member, least + (int)draw(request, (uint32_t)(most - least + 1)));
}

static void put_padding(struct cp_random_request *request, int most, bool words)
{
    static const char *const all[] = {"valid", "same_upper", "same_lower", "half", "full", "same"};
    uint32_t way = draw(request, 10);
    if (way < 5)
        put_member(request, "padding", 0, most);
    else if (way < 7 && words)
        put(request, ", \"padding\": \"%s\"", all[draw(request, 6)]);
    else if (way == 7) {
        put(request, ", \"padding\": [");
        for (int axis = 0; axis < request->axes; axis++)
            put(request, "%s[%u, %u]", axis ? ", " : "", draw(request, (uint32_t)most + 1),
                draw(request, (uint32_t)most + 1));
        put(request, "]");
    }
}

static void put_convolution(struct cp_random_request *request, int most_stride)
{
    begin_layer(request, "Conv", true);
    put(request, ", \"out_channels\": 4");
    put_member(request, "kernel_size", 1, 5);
    if (draw(request, 2)) put_member(request, "stride", 1, most_stride);
    if (draw(request, 6) == 0) put_member(request, "dilation", 1, 3);
    put_padding(request, 3, true);
}

static void put_transposed(struct cp_random_request *request)
{
    begin_layer(request, "ConvTranspose", true);
    put(request, ", \"out_channels\": 4");
    put_member(request, "kernel_size", 1, 4);
    put_member(request, "stride", 1, 3);
    uint32_t way = draw(request, 6);
    if (way < 2)
        put_member(request, "output_padding", 0, 1);
    else if (way == 2)
        put_member(request, "output_size", 3, 30);
    if (draw(request, 2)) put_member(request, "padding", 0, 2);
}

static void put_pool(struct cp_random_request *request)
{
    static const char *const types[] = {"MaxPool", "AvgPool", "LPPool"};
    uint32_t type = draw(request, 3);
    begin_layer(request, types[type], true);
    put_member(request, "kernel_size", 2, 4);
    if (draw(request, 2)) put_member(request, "stride", 1, 4);
    if (draw(request, 2)) put(request, ", \"ceil_mode\": true");
    if (type == 0 && draw(request, 5) == 0) put_member(request, "dilation", 1, 2);
    if (draw(request, 2)) put_padding(request, 1, true);
}

static void put_border(struct cp_random_request *request)
{
    static const char *const types[] = {"ZeroPad", "ReplicationPad", "ReflectionPad", "CircularPad", "ConstantPad"};
    begin_layer(request, types[draw(request, 5)], true);
    put(request, ", \"padding\": [");
    for (int axis = 0; axis < request->axes; axis++)
        put(request, "%s[%d, %d]", axis ? ", " : "", (int)draw(request, 8) - 3, (int)draw(request, 8) - 3);
    put(request, "]");
}

static void put_resampling(struct cp_random_request *request)
{
    static const char *const factors[] = {"2",   "3",  "0.5", "1.5", "0.6666666666666666", "0.25", "0.3333333333333333",
                                          "2.5", "0.1"};
    if (request->axes == 2 && draw(request, 3) == 0) {
        bool shuffle = draw(request, 3) == 0;
        begin_layer(request, shuffle ? "PixelShuffle" : "PixelUnshuffle", false);
        put(request, ", \"%s\": %u", shuffle ? "upscale_factor" : "downscale_factor", 1 + draw(request, 2));
        return;
    }
    begin_layer(request, "Upsample", false);
    if (draw(request, 8))
        put(request, ", \"scale_factor\": %s", factors[draw(request, 9)]);
    else
        put(request, ", \"size\": %u", 1 + draw(request, 20));
}

static void put_slice(struct cp_random_request *request)
{
    begin_layer(request, "Slice", false);
    put(request, ", \"dim\": %d", draw(request, 2) ? 2 : -1);
    if (draw(request, 2)) put(request, ", \"start\": %d", (int)draw(request, 17) - 8);
    if (draw(request, 2)) put(request, ", \"end\": %d", (int)draw(request, 33) - 16);
    if (draw(request, 2)) put(request, ", \"step\": %u", 1 + draw(request, 3));
}

static void put_merge(struct cp_random_request *request)
{
    static const char *const types[] = {"Add", "Sub", "Mul", "Concat", "Concat"};
    char a[16], b[16];
    uint32_t type = draw(request, 5);
    pick_source(request, a);
    pick_source(request, b);
    if (draw(request, 2)) snprintf(a, sizeof a, request->layers > 1 ? "x%d" : "input", request->layers - 1);
    if (type >= 3 && draw(request, 3) == 0) type = 0;
    begin_layer(request, types[type], false);
    put(request, ", \"from\": [\"%s\", \"%s\"]", a, b);
    if (type >= 3 && draw(request, 4) == 0) put(request, ", \"dim\": 2");
}

static void put_crop(struct cp_random_request *request)
{
    char like[16];
    pick_source(request, like);
    begin_layer(request, "CenterCrop", true);
    if (draw(request, 3))
        put(request, ", \"like\": \"%s\"", like);
    else
        put_member(request, "output_size", 1, 12);
}

static void put_other(struct cp_random_request *request)
{
    static const char *const numbered[] = {"InstanceNorm", "BatchNorm", "Dropout"};
    uint32_t way = draw(request, 9);
    if (way < 3) {
        begin_layer(request, numbered[way], true);
    } else if (way == 3) {
        begin_layer(request, "GroupNorm", false);
        put(request, ", \"num_groups\": %u", 1 + draw(request, 4));
    } else if (way == 4) {
        begin_layer(request, "MaxUnpool", true);
        put_member(request, "kernel_size", 2, 3);
        if (draw(request, 4) == 0) put_member(request, "output_size", 4, 30);
    } else if (way == 5) {
        begin_layer(request, "AdaptiveAvgPool", true);
        put(request, ", \"output_size\": %s", draw(request, 2) ? "3" : request->axes == 1 ? "[null]" : "[null, 5]");
    } else if (way == 6 && request->axes == 2) {
        begin_layer(request, "Permute", false);
        put(request, ", \"dims\": %s", draw(request, 6) ? "[0, 1, 3, 2]" : "[0, 2, 1, 3]");
    } else if (way == 7) {
        begin_layer(request, "Linear", false);
        put(request, ", \"out_features\": %u", 2 + draw(request, 8));
        if (draw(request, 4) == 0) put(request, ", \"in_features\": %u", 3 + draw(request, 20));
    } else {
        begin_layer(request, "ReLU", false);
    }
}

static void end_layer(struct cp_random_request *request)
{
    if (draw(request, 60) == 0) {
        put(request, ", \"expect\": [1, null");
        for (int axis = 0; axis < request->axes; axis++) put(request, axis ? ", null" : ", %u", 2 + draw(request, 20));
        put(request, "]");
    }
    put(request, "}");
}

static void put_layer(struct cp_random_request *request)
{
    uint32_t way = draw(request, 40);
    if (way < 12)
        put_convolution(request, 3);
    else if (way < 18)
        put_pool(request);
    else if (way < 21)
        put_transposed(request);
    else if (way < 24)
        put_border(request);
    else if (way < 27)
        put_resampling(request);
    else if (way < 29)
        put_slice(request);
    else if (way < 34 && request->layers > 1)
        put_merge(request);
    else if (way < 36 && request->layers > 1)
        put_crop(request);
    else
        put_other(request);
    end_layer(request);
}

/* Regrouping, after which window layers take nothing any more. */
static void put_tail(struct cp_random_request *request)
{
    uint32_t way = draw(request, 9);
    if (way < 4) {
        begin_layer(request, "Flatten", false);
        put(request, ", \"start_dim\": %u}", 1 + draw(request, 2));
        if (way >= 3) return;
        begin_layer(request, "Linear", false);
        int side = 1 + (int)draw(request, 9);
        put(request, ", \"out_features\": 7, \"in_features\": %d}", 4 * (request->axes == 1 ? side : side * side));
    } else if (way == 4) {
        begin_layer(request, "Reshape", false);
        put(request, ", \"shape\": [1, %u, -1]}", 1 + draw(request, 9));
    } else if (way == 5) {
        begin_layer(request, "Unflatten", false);
        put(request, ", \"dim\": 2, \"unflattened_size\": [%u, -1]}", 1 + draw(request, 5));
    } else if (way == 6) {
        begin_layer(request, "Mean", false);
        put(request, ", \"dim\": [2], \"keepdim\": %s}", draw(request, 2) ? "true" : "false");
    } else if (way == 7) {
        begin_layer(request, "LayerNorm", false);
        put(request, ", \"normalized_shape\": [%u]}", 2 + draw(request, 30));
    }
}

static void begin_request(struct cp_random_request *request, uint64_t seed)
{
    request->random = (struct cp_random){seed};
    request->size = 0;
    request->layers = 0;
    request->axes = 1 + (int)draw(request, 2);
    put(request, "{\"covered\": %s, ", draw(request, 4) ? "false" : "true");
}

static void put_input(struct cp_random_request *request, bool two)
{
    static const char *const squares[] = {"\"n\", \"n\"", "\"n\", \"n\"", "\"n\", 17", "9, \"n\""};
    const char *sizes = request->axes == 1 ? "\"n\"" : two ? "\"h\", \"w\"" : squares[draw(request, 4)];
    put(request, "\"input\": [1, 4, %s]", sizes);
}

void cp_random_stack(struct cp_random_request *request, uint64_t seed)
{
    begin_request(request, seed);
    put_input(request, false);
    put(request, ", \"layers\": [");
    int count = 1 + (int)draw(request, 8);
    while (request->layers < count) put_layer(request);
    if (draw(request, 3) == 0) put_tail(request);
    put(request, "]}");
}

void cp_random_two(struct cp_random_request *request, uint64_t seed)
{
    begin_request(request, seed);
    request->axes = 2;
    put_input(request, true);
    put(request, ", \"layers\": [");
    int count = 1 + (int)draw(request, 5);
    while (request->layers < count) put_layer(request);
    put(request, "]}");
}

/* A slice of one unit, wherever it may be, on each axis. */
static void put_slices(struct cp_random_request *request)
{
    static const char *const parts[] = {"\"end\": 1",
                                        "\"start\": -1",
                                        "\"start\": 3, \"end\": 4",
                                        "\"start\": -4, \"end\": -3",
                                        "\"start\": 2, \"end\": 5, \"step\": 3",
                                        "\"start\": -6, \"end\": 1",
                                        "\"start\": -1, \"end\": 6"};
    for (int dim = 2; dim < 4; dim++) {
        begin_layer(request, "Slice", false);
        put(request, ", \"dim\": %d, %s}", dim, parts[draw(request, 7)]);
    }
}

/* What makes both sizes `side`, where it works at all. */
static void put_pin(struct cp_random_request *request, int way, int side)
{
    if (way == 0) {
        begin_layer(request, "ConvTranspose", true);
        put(request, ", \"out_channels\": 4, \"kernel_size\": 3, \"stride\": %u, \"output_size\": %d}",
            1 + draw(request, 3), side);
    } else if (way == 1) {
        begin_layer(request, "MaxUnpool", true);
        put(request, ", \"kernel_size\": 2, \"output_size\": %d}", side);
    } else if (way == 2) {
        begin_layer(request, "ReLU", false);
        put(request, ", \"expect\": [1, null, %d, %d]}", side, side);
    } else {
        begin_layer(request, "AdaptiveAvgPool", true);
        put(request, ", \"output_size\": %d}", side);
        const char *merge = draw(request, 2) ? "Mul" : "Concat";
        int pool = request->layers - 1;
        char before[16] = "input";
        if (pool) (void)snprintf(before, sizeof before, "x%d", pool - 1);
        begin_layer(request, merge, false);
        put(request, ", \"from\": [\"%s\", \"x%d\"]}", before, pool);
    }
}

void cp_random_pinned(struct cp_random_request *request, uint64_t seed)
{
    begin_request(request, seed);
    request->axes = 2;
    put_input(request, true);
    put(request, ", \"layers\": [");
    if (draw(request, 2)) put_convolution(request, 3), end_layer(request);
    int side = 2 + (int)draw(request, 12), way = (int)draw(request, 5);
    if (way == 4)
        put_slices(request), side = 1;
    else
        put_pin(request, way, side);
    begin_layer(request, "Flatten", false);
    put(request, ", \"start_dim\": 2}");
    begin_layer(request, "Linear", false);
    put(request, ", \"in_features\": %d, \"out_features\": 3}]}", side * side + (draw(request, 8) == 0));
}

/* A stage and what undoes it; now and then something else. */
struct stage {
    int kernel, stride, padding;
    bool pools;
};

static void put_stage(struct cp_random_request *request, struct stage *stage)
{
    *stage = (struct stage){.kernel = 2 + (int)draw(request, 3), .stride = 1 + (int)draw(request, 3)};
    stage->padding = (int)draw(request, (uint32_t)stage->kernel / 2 + 1);
    stage->pools = draw(request, 3) == 0;
    begin_layer(request, stage->pools ? "MaxPool" : "Conv", true);
    if (!stage->pools) put(request, ", \"out_channels\": 4");
    if (stage->pools && draw(request, 2)) put(request, ", \"ceil_mode\": true");
    put(request, ", \"kernel_size\": %d, \"stride\": %d, \"padding\": %d}", stage->kernel, stage->stride,
        stage->padding);
}

static void put_inverse(struct cp_random_request *request, const struct stage *stage)
{
    uint32_t way = draw(request, 10);
    if (way == 0) {
        put_transposed(request);
    } else if (way == 1) {
        begin_layer(request, "Upsample", false);
        put(request, ", \"scale_factor\": %d", stage->stride);
    } else if (way == 2) {
        begin_layer(request, "MaxUnpool", true);
        put(request, ", \"kernel_size\": %d, \"stride\": %d, \"padding\": %d", stage->kernel, stage->stride,
            stage->padding);
    } else {
        begin_layer(request, "ConvTranspose", true);
        put(request, ", \"out_channels\": 4, \"kernel_size\": %d, \"stride\": %d, \"padding\": %d", stage->kernel,
            stage->stride, stage->padding);
        put(request, ", \"output_padding\": %u", draw(request, (uint32_t)stage->stride));
    }
    put(request, "}");
}

/* Down and up again with skips: the sizes of a U-Net. */
void cp_random_unet(struct cp_random_request *request, uint64_t seed)
{
    int skips[4] = {0};
    struct stage stages[4] = {0};
    begin_request(request, seed);
    put_input(request, false);
    put(request, ", \"layers\": [");
    int levels = 1 + (int)draw(request, 3);
    bool crop = draw(request, 2), add = draw(request, 3) == 0;
    for (int level = 0; level < levels; level++) {
        begin_layer(request, "Conv", true);
        put(request, ", \"out_channels\": 4, \"kernel_size\": 3, \"padding\": %u}", draw(request, 4) != 0);
        skips[level] = request->layers - 1;
        put_stage(request, &stages[level]);
    }
    for (int level = levels - 1; level >= 0; level--) {
        put_inverse(request, &stages[level]);
        int up = request->layers - 1, skip = skips[level];
        if (crop) {
            begin_layer(request, "CenterCrop", true);
            put(request, ", \"from\": \"x%d\", \"like\": \"x%d\"}", skip, up);
            skip = request->layers - 1;
        }
        begin_layer(request, add ? "Add" : "Concat", false);
        put(request, ", \"from\": [\"x%d\", \"x%d\"]}", skip, up);
    }
    put(request, "]}");
}

void cp_random_pair(struct cp_random_request *request, uint64_t seed)
{
    begin_request(request, seed);
    put_input(request, false);
    struct stage stages[4] = {0};
    int depth = 1 + (int)draw(request, 4);
    put(request, ", \"encoder\": [");
    for (int level = 0; level < depth; level++) put_stage(request, &stages[level]);
    put(request, "], \"decoder\": [");
    request->layers = 0;
    if (draw(request, 8) == 0) put_inverse(request, &stages[0]);
    for (int level = depth - 1; level >= 0; level--) put_inverse(request, &stages[level]);
    put(request, "]}");
}
