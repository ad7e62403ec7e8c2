/* Every rule of the planner and every code of the reader: a request, and exactly what has to be said about it. A fix is
 * applied to the request, which then has to be free of the finding. */
#include "core/finding.h"
#include "core/layer.h"
#include "tests/service_client.h"

static bool seen[CP_CODE_COUNT];

static enum cp_code code_of(const char *name)
{
    for (int code = 0; code < CP_CODE_COUNT; code++)
        if (strcmp(cp_statuses[code].code, name) == 0) return (enum cp_code)code;
    fail_msg("no code is named %s", name);
    return CP_CODE_COUNT;
}

/* ---- Findings ----------------------------------------------------------------------------------------------------- */

struct finding_row {
    const char *name;
    const char *input;  /* shape, or an object of them */
    const char *layers; /* without the brackets */
    const char *code;
    const char *pointer;
    const char *axis;           /* NULL: none */
    const char *fix_at, *fix;   /* pointer and value; NULL: none */
    int count;                  /* of all findings; 0: one */
    const char *more;           /* more members of the request */
    const char *detail;         /* what the detail has to hold; NULL: not looked at */
};

#define CONV(rest) "{\"type\": \"Conv2d\", \"out_channels\": 4, " rest "}"
#define UP(rest) "{\"type\": \"ConvTranspose2d\", \"out_channels\": 4, " rest "}"
#define TYPE(type_, rest) "{\"type\": \"" type_ "\", " rest "}"
#define IMAGE "[1, 4, 8, 8]"

static const struct finding_row finding_rows[] = {
    {.name = "a kernel larger than its input", .input = IMAGE, .layers = CONV("\"kernel_size\": [3, 9]"),
     .code = "kernel_exceeds_input", .pointer = "/layers/0/kernel_size", .axis = "W", .fix_at = "/layers/0/padding",
     .fix = "[0,1]", .detail = "the kernel spans 9 cells (kernel_size 9, dilation 1), but the padded input has only 8"},
    {.name = "a dilated kernel larger than its input", .input = IMAGE,
     .layers = CONV("\"kernel_size\": 4, \"dilation\": [3, 2], \"padding\": [[0, 1], [0, 0]]"),
     .code = "kernel_exceeds_input", .pointer = "/layers/0/kernel_size", .axis = "H", .fix_at = "/layers/0/padding",
     .fix = "[[1,2],[0,0]]"},
    {.name = "on both axes", .input = IMAGE, .layers = CONV("\"kernel_size\": 9"), .code = "kernel_exceeds_input",
     .pointer = "/layers/0/kernel_size", .axis = "H", .fix_at = "/layers/0/padding", .fix = "[1,1]", .count = 2},
    {.name = "on the only axis", .input = "[1, 4, 8]", .layers = TYPE("Conv1d", "\"out_channels\": 1, \"kernel_size\": 9"),
     .code = "kernel_exceeds_input", .pointer = "/layers/0/kernel_size", .axis = "L", .fix_at = "/layers/0/padding",
     .fix = "[1]"},
    {.name = "on the depth", .input = "[1, 4, 2, 8, 8]",
     .layers = TYPE("Conv3d", "\"out_channels\": 1, \"kernel_size\": 3"), .code = "kernel_exceeds_input",
     .pointer = "/layers/0/kernel_size", .axis = "D", .fix_at = "/layers/0/padding", .fix = "[1,0,0]"},
    {.name = "a pool larger than its input", .input = "[1, 4, 1, 8]",
     .layers = TYPE("MaxPool2d", "\"kernel_size\": 2"), .code = "kernel_exceeds_input",
     .pointer = "/layers/0/kernel_size", .axis = "H", .fix_at = "/layers/0/padding", .fix = "[1,0]"},
    {.name = "a pool with unequal padding larger than its input", .input = "[1, 4, 1]",
     .layers = TYPE("MaxPool1d", "\"kernel_size\": 5, \"stride\": 1, \"padding\": [[2, 0]]"),
     .code = "kernel_exceeds_input", .pointer = "/layers/0/kernel_size", .axis = "L", .fix_at = "/layers/0/padding",
     .fix = "[2]"},
    {.name = "a kernel beside one that overflows", .input = IMAGE,
     .layers = CONV("\"kernel_size\": [9, 2147483648], \"dilation\": [1, 4503599627370496]"),
     .code = "kernel_exceeds_input", .pointer = "/layers/0/kernel_size", .axis = "H", .count = 2},
    {.name = "a pool with ceiling larger than its input", .input = "[1, 4, 2]",
     .layers = TYPE("AvgPool1d", "\"kernel_size\": 5, \"stride\": 2, \"ceil_mode\": true"),
     .code = "kernel_exceeds_input", .pointer = "/layers/0/kernel_size", .axis = "L", .fix_at = "/layers/0/padding",
     .fix = "[1]"},

    {.name = "a transposed layer that crops all", .input = "[1, 4, 1, 8]",
     .layers = UP("\"kernel_size\": 2, \"padding\": 1"), .code = "empty_output", .pointer = "/layers/0/padding",
     .axis = "H"},
    {.name = "an unpooling that crops all", .input = "[1, 4, 1]",
     .layers = TYPE("MaxUnpool1d", "\"kernel_size\": 2, \"padding\": 1"), .code = "empty_output",
     .pointer = "/layers/0/padding", .axis = "L"},
    {.name = "full padding crops all", .input = "[1, 4, 1, 1]",
     .layers = UP("\"kernel_size\": 3, \"padding\": \"full\""), .code = "empty_output",
     .pointer = "/layers/0/padding", .axis = "H", .count = 2},

    {.name = "a span that cannot be counted", .input = IMAGE,
     .layers = CONV("\"kernel_size\": [3, 2147483648], \"dilation\": [1, 4503599627370496]"), .code = "size_overflow",
     .pointer = "/layers/0", .axis = "W"},
    {.name = "padding that cannot be counted", .input = IMAGE,
     .layers = CONV("\"kernel_size\": 3, \"padding\": [9007199254740991, 1]"), .code = "size_overflow",
     .pointer = "/layers/0", .axis = "H"},
    {.name = "a transposed size that cannot be counted", .input = IMAGE,
     .layers = UP("\"kernel_size\": 1, \"stride\": 4503599627370496"), .code = "size_overflow", .pointer = "/layers/0",
     .axis = "H", .count = 2},
    {.name = "an unpooled size that cannot be counted", .input = "[1, 4, 8]",
     .layers = TYPE("MaxUnpool1d", "\"kernel_size\": 9007199254740991, \"output_size\": 5"), .code = "size_overflow",
     .pointer = "/layers/0", .axis = "L"},

    {.name = "parameters that cannot be counted", .input = IMAGE,
     .layers = TYPE("Conv2d", "\"out_channels\": 9007199254740991, \"kernel_size\": 1"), .code = "count_overflow",
     .pointer = "/layers/0", .detail = "over 2^53 − 1"},
    {.name = "bytes that cannot be counted", .input = "[1, 1, 94906265, 94906265]", .layers = "{\"type\": \"ReLU\"}",
     .code = "count_overflow", .pointer = "/layers/0", .detail = "the output's bytes"},
    {.name = "a sum of channels that cannot be counted", .input = "[1, 9007199254740991]",
     .layers = TYPE("Concat", "\"from\": [\"input\", \"input\"]"), .code = "count_overflow",
     .pointer = "/layers/0/from"},
    {.name = "a border that cannot be counted", .input = IMAGE,
     .layers = TYPE("ZeroPad2d", "\"padding\": [0, 0, 0, 9007199254740990]"), .code = "count_overflow",
     .pointer = "/layers/0/padding", .axis = "H"},
    {.name = "an upsampling that cannot be counted", .input = IMAGE,
     .layers = TYPE("Upsample", "\"scale_factor\": [1, 1e16]"), .code = "count_overflow",
     .pointer = "/layers/0/scale_factor", .axis = "W"},
    {.name = "a shuffle by a factor whose square cannot be counted", .input = IMAGE,
     .layers = TYPE("PixelShuffle", "\"upscale_factor\": 9007199254740991"), .code = "count_overflow",
     .pointer = "/layers/0/upscale_factor"},
    {.name = "a total that cannot be counted", .input = "[1, 67108864]",
     .layers = TYPE("Linear", "\"name\": \"a\", \"out_features\": 67108864, \"bias\": false") ","
               TYPE("Linear", "\"name\": \"b\", \"out_features\": 67108864, \"bias\": false"),
     .code = "count_overflow", .pointer = "/layers/1", .count = 3},

    {.name = "same with a stride", .input = IMAGE,
     .layers = CONV("\"kernel_size\": 3, \"stride\": [1, 2], \"padding\": \"same\""), .code = "same_needs_unit_stride",
     .pointer = "/layers/0/padding", .axis = "W", .fix_at = "/layers/0/padding", .fix = "\"same_upper\""},

    {.name = "a pool's padding over half its window", .input = IMAGE,
     .layers = TYPE("MaxPool2d", "\"kernel_size\": [2, 4], \"padding\": 2"), .code = "pool_padding_too_large",
     .pointer = "/layers/0/padding", .axis = "H", .fix_at = "/layers/0/padding", .fix = "[[1,1],[2,2]]"},
    {.name = "a pool's padding over half its window at the end", .input = "[1, 4, 8]",
     .layers = TYPE("AvgPool1d", "\"kernel_size\": 3, \"padding\": [[0, 2]]"), .code = "pool_padding_too_large",
     .pointer = "/layers/0/padding", .axis = "L", .fix_at = "/layers/0/padding", .fix = "[[0,1]]"},
    {.name = "full padding of a pool", .input = "[1, 4, 9]",
     .layers = TYPE("MaxPool1d", "\"kernel_size\": 3, \"padding\": \"full\""), .code = "pool_padding_too_large",
     .pointer = "/layers/0/padding", .axis = "L", .fix_at = "/layers/0/padding", .fix = "\"half\""},

    {.name = "output_padding over the stride", .input = IMAGE,
     .layers = UP("\"kernel_size\": 3, \"stride\": [2, 3], \"output_padding\": 2"), .code = "output_padding_too_large",
     .pointer = "/layers/0/output_padding", .axis = "H", .fix_at = "/layers/0/output_padding", .fix = "[1,2]"},
    {.name = "output_size too large", .input = IMAGE,
     .layers = UP("\"kernel_size\": 3, \"stride\": 2, \"output_size\": [17, 19]"), .code = "output_size_out_of_range",
     .pointer = "/layers/0/output_size", .axis = "W", .detail = "output_size 19 is not within 17 … 18"},
    {.name = "output_size too small", .input = IMAGE,
     .layers = UP("\"kernel_size\": 3, \"stride\": 2, \"output_size\": [16, 18]"), .code = "output_size_out_of_range",
     .pointer = "/layers/0/output_size", .axis = "H", .detail = "output_size 16 is not within 17 … 18"},
    {.name = "output_size of an unpooling", .input = "[1, 4, 8]",
     .layers = TYPE("MaxUnpool1d", "\"kernel_size\": 2, \"output_size\": 18"), .code = "output_size_out_of_range",
     .pointer = "/layers/0/output_size", .axis = "L", .detail = "output_size 18 is not within 15 … 17"},
    {.name = "no output_size is possible", .input = "[1, 4, 2]",
     .layers = TYPE("ConvTranspose1d", "\"out_channels\": 1, \"kernel_size\": 1, \"padding\": 1, \"output_size\": 1"),
     .code = "empty_output", .pointer = "/layers/0/padding", .axis = "L"},

    {.name = "cells at the end", .input = "[1, 4, 9, 8]", .layers = TYPE("MaxPool2d", "\"kernel_size\": 2"),
     .code = "input_not_covered", .pointer = "/layers/0", .axis = "H"},
    {.name = "padding at the end, where all has to be covered", .input = IMAGE,
     .layers = CONV("\"kernel_size\": [3, 1], \"stride\": [2, 1], \"padding\": [1, 0]"), .code = "input_not_covered",
     .pointer = "/layers/0", .axis = "H", .more = "\"covered\": true, "},

    {.name = "the wrong rank", .input = "[1, 4, 8]", .layers = CONV("\"kernel_size\": 3"), .code = "wrong_rank",
     .pointer = "/layers/0", .detail = "Conv2d takes a tensor of 4 dimensions; its input [1, 4, 8] has 3"},
    {.name = "the wrong rank of a pool", .input = IMAGE, .layers = TYPE("MaxPool3d", "\"kernel_size\": 2"),
     .code = "wrong_rank", .pointer = "/layers/0"},
    {.name = "the wrong rank of an unpool", .input = IMAGE, .layers = TYPE("MaxUnpool3d", "\"kernel_size\": 2"),
     .code = "wrong_rank", .pointer = "/layers/0"},
    {.name = "the wrong rank of an adaptive pool", .input = IMAGE,
     .layers = TYPE("AdaptiveAvgPool1d", "\"output_size\": 2"), .code = "wrong_rank", .pointer = "/layers/0"},
    {.name = "the wrong rank of a padding", .input = IMAGE, .layers = TYPE("ZeroPad1d", "\"padding\": 2"),
     .code = "wrong_rank", .pointer = "/layers/0"},
    {.name = "the wrong rank of a crop", .input = IMAGE, .layers = TYPE("CenterCrop3d", "\"output_size\": 2"),
     .code = "wrong_rank", .pointer = "/layers/0"},
    {.name = "the wrong rank of a transposed layer", .input = "[1, 4]", .layers = UP("\"kernel_size\": 2"),
     .code = "wrong_rank", .pointer = "/layers/0"},
    {.name = "the wrong rank of an instance norm", .input = IMAGE, .layers = "{\"type\": \"InstanceNorm1d\"}",
     .code = "wrong_rank", .pointer = "/layers/0"},
    {.name = "a rank out of range", .input = IMAGE, .layers = "{\"type\": \"BatchNorm1d\"}",
     .code = "wrong_rank_range", .pointer = "/layers/0", .detail = "BatchNorm1d takes a tensor of 2 to 3 dimensions"},
    {.name = "a rank too small to shuffle", .input = "[4, 8]", .layers = TYPE("PixelShuffle", "\"upscale_factor\": 2"),
     .code = "wrong_rank_range", .pointer = "/layers/0"},
    {.name = "a rank too small to upsample", .input = "[4, 8]", .layers = TYPE("Upsample", "\"scale_factor\": 2"),
     .code = "wrong_rank_range", .pointer = "/layers/0"},
    {.name = "a rank too small for channels", .input = "[4]", .layers = "{\"type\": \"Scale\"}",
     .code = "wrong_rank_range", .pointer = "/layers/0"},

    {.name = "in_channels", .input = IMAGE, .layers = CONV("\"kernel_size\": 3, \"in_channels\": 3"),
     .code = "size_mismatch", .pointer = "/layers/0/in_channels", .fix_at = "/layers/0/in_channels", .fix = "4",
     .detail = "in_channels is 3, but the input [1, 4, 8, 8] has 4"},
    {.name = "in_channels of a transposed layer", .input = IMAGE, .layers = UP("\"kernel_size\": 3, \"in_channels\": 3"),
     .code = "size_mismatch", .pointer = "/layers/0/in_channels", .fix_at = "/layers/0/in_channels", .fix = "4"},
    {.name = "in_features", .input = IMAGE, .layers = TYPE("Linear", "\"out_features\": 2, \"in_features\": 256"),
     .code = "size_mismatch", .pointer = "/layers/0/in_features", .fix_at = "/layers/0/in_features", .fix = "8",
     .count = 1},
    {.name = "num_features of a batch norm", .input = IMAGE, .layers = TYPE("BatchNorm2d", "\"num_features\": 3"),
     .code = "size_mismatch", .pointer = "/layers/0/num_features", .fix_at = "/layers/0/num_features", .fix = "4"},
    {.name = "num_features of a scale", .input = IMAGE, .layers = TYPE("Scale", "\"num_features\": 3"),
     .code = "size_mismatch", .pointer = "/layers/0/num_features", .fix_at = "/layers/0/num_features", .fix = "4"},
    {.name = "num_channels", .input = IMAGE, .layers = TYPE("GroupNorm", "\"num_groups\": 2, \"num_channels\": 6"),
     .code = "size_mismatch", .pointer = "/layers/0/num_channels", .fix_at = "/layers/0/num_channels", .fix = "4"},
    {.name = "num_parameters", .input = IMAGE, .layers = TYPE("PReLU", "\"num_parameters\": 3"),
     .code = "size_mismatch", .pointer = "/layers/0/num_parameters", .fix_at = "/layers/0/num_parameters", .fix = "4"},

    {.name = "groups and input channels", .input = IMAGE, .layers = TYPE("Conv2d",
     "\"out_channels\": 6, \"kernel_size\": 1, \"groups\": 3"), .code = "not_divisible",
     .pointer = "/layers/0/groups", .detail = "input channels 4 is not divisible by groups 3"},
    {.name = "groups and output channels", .input = IMAGE, .layers = TYPE("ConvTranspose2d",
     "\"out_channels\": 5, \"kernel_size\": 1, \"groups\": 2"), .code = "not_divisible",
     .pointer = "/layers/0/groups", .detail = "out_channels 5 is not divisible by groups 2"},
    {.name = "groups and all channels", .input = IMAGE, .layers = TYPE("Conv2d",
     "\"out_channels\": 5, \"kernel_size\": 1, \"groups\": 3"), .code = "not_divisible",
     .pointer = "/layers/0/groups", .count = 2},
    {.name = "num_groups", .input = IMAGE, .layers = TYPE("GroupNorm", "\"num_groups\": 3"), .code = "not_divisible",
     .pointer = "/layers/0/num_groups"},
    {.name = "groups to shuffle", .input = IMAGE, .layers = TYPE("ChannelShuffle", "\"groups\": 3"),
     .code = "not_divisible", .pointer = "/layers/0/groups"},
    {.name = "upscale_factor", .input = "[1, 10, 8, 8]", .layers = TYPE("PixelShuffle", "\"upscale_factor\": 2"),
     .code = "not_divisible", .pointer = "/layers/0/upscale_factor",
     .detail = "channels 10 is not divisible by upscale_factor² 4"},
    {.name = "downscale_factor", .input = "[1, 4, 9, 7]", .layers = TYPE("PixelUnshuffle", "\"downscale_factor\": 2"),
     .code = "not_divisible", .pointer = "/layers/0/downscale_factor", .count = 2, .detail = "height 9"},

    {.name = "start_dim", .input = IMAGE, .layers = TYPE("Flatten", "\"start_dim\": 4"), .code = "dim_out_of_range",
     .pointer = "/layers/0/start_dim", .detail = "dimension 4 is not within -4 … 3 of the input [1, 4, 8, 8]"},
    {.name = "end_dim", .input = IMAGE, .layers = TYPE("Flatten", "\"end_dim\": -5"), .code = "dim_out_of_range",
     .pointer = "/layers/0/end_dim"},
    {.name = "dim to unflatten", .input = IMAGE, .layers = TYPE("Unflatten", "\"dim\": 4, \"unflattened_size\": [2, 2]"),
     .code = "dim_out_of_range", .pointer = "/layers/0/dim"},
    {.name = "dim to slice", .input = IMAGE, .layers = TYPE("Slice", "\"dim\": -5"), .code = "dim_out_of_range",
     .pointer = "/layers/0/dim"},
    {.name = "dim to average", .input = IMAGE, .layers = TYPE("Mean", "\"dim\": [2, 4]"), .code = "dim_out_of_range",
     .pointer = "/layers/0/dim"},
    {.name = "dim to join", .input = IMAGE, .layers = TYPE("Concat", "\"from\": \"input\", \"dim\": 5"),
     .code = "dim_out_of_range", .pointer = "/layers/0/dim"},
    {.name = "dim of a softmax", .input = IMAGE, .layers = TYPE("LogSoftmax", "\"dim\": 7"),
     .code = "dim_out_of_range", .pointer = "/layers/0/dim"},
    {.name = "start_dim after end_dim", .input = IMAGE, .layers = TYPE("Flatten", "\"start_dim\": 2, \"end_dim\": -3"),
     .code = "dims_out_of_order", .pointer = "/layers/0/end_dim", .detail = "start_dim is dimension 2, end_dim is 1"},
    {.name = "a dimension twice", .input = IMAGE, .layers = TYPE("Mean", "\"dim\": [2, -2]"), .code = "dim_twice",
     .pointer = "/layers/0/dim"},
    {.name = "no permutation: one is missing", .input = IMAGE, .layers = TYPE("Permute", "\"dims\": [0, 2, 3]"),
     .code = "not_a_permutation", .pointer = "/layers/0/dims"},
    {.name = "no permutation: one is there twice", .input = IMAGE, .layers = TYPE("Permute", "\"dims\": [0, 2, 3, -1]"),
     .code = "not_a_permutation", .pointer = "/layers/0/dims"},
    {.name = "no permutation: one is out of range", .input = IMAGE, .layers = TYPE("Permute", "\"dims\": [0, 2, 3, 4]"),
     .code = "not_a_permutation", .pointer = "/layers/0/dims"},
    {.name = "a reshape to fewer elements", .input = IMAGE, .layers = TYPE("Reshape", "\"shape\": [1, 255]"),
     .code = "elements_differ", .pointer = "/layers/0/shape"},
    {.name = "a reshape with a rest", .input = IMAGE, .layers = TYPE("Reshape", "\"shape\": [3, -1]"),
     .code = "elements_differ", .pointer = "/layers/0/shape"},
    {.name = "a reshape to more than can be counted", .input = IMAGE,
     .layers = TYPE("Reshape", "\"shape\": [9007199254740991, 9007199254740991]"), .code = "elements_differ",
     .pointer = "/layers/0/shape"},
    {.name = "an unflattening to more elements", .input = IMAGE,
     .layers = TYPE("Unflatten", "\"dim\": 1, \"unflattened_size\": [2, 3]"), .code = "elements_differ",
     .pointer = "/layers/0/unflattened_size"},
    {.name = "too many dimensions", .input = IMAGE,
     .layers = TYPE("Unflatten", "\"dim\": 1, \"unflattened_size\": [1, 1, 1, 2, 2, 1]"), .code = "rank_too_large",
     .pointer = "/layers/0/unflattened_size"},
    {.name = "an empty slice", .input = IMAGE, .layers = TYPE("Slice", "\"dim\": 2, \"start\": 5, \"end\": -3"),
     .code = "empty_slice", .pointer = "/layers/0/end", .detail = "start 5 is not before end 5 in a dimension of 8"},
    {.name = "a slice past the end", .input = IMAGE, .layers = TYPE("Slice", "\"dim\": 2, \"start\": 8"),
     .code = "empty_slice", .pointer = "/layers/0/start"},

    {.name = "shapes that do not broadcast", .input = "{\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8, 7]}",
     .layers = TYPE("Add", "\"from\": [\"a\", \"b\"]"), .code = "shapes_do_not_broadcast",
     .pointer = "/layers/0/from",
     .detail = "[1, 4, 8, 8] and [1, 4, 8, 7], the input at `from` position 1, differ in dimension 3"},
    {.name = "ranks that do not broadcast", .input = "{\"a\": [1, 4, 8, 8], \"b\": [3, 8]}",
     .layers = TYPE("Mul", "\"from\": [\"a\", \"b\"]"), .code = "shapes_do_not_broadcast",
     .pointer = "/layers/0/from"},
    {.name = "the third does not broadcast", .input = "{\"a\": [1, 1, 8, 8], \"b\": [4, 8, 1], \"c\": [3, 1, 1]}",
     .layers = TYPE("Sub", "\"from\": [\"a\", \"b\", \"c\"]"), .code = "shapes_do_not_broadcast",
     .pointer = "/layers/0/from", .detail = "[1, 4, 8, 8] and [3, 1, 1]"},
    {.name = "sizes to be joined", .input = "{\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8, 7]}",
     .layers = TYPE("Concat", "\"from\": [\"a\", \"b\"]"), .code = "concat_sizes_differ",
     .pointer = "/layers/0/from", .axis = "W"},
    {.name = "ranks to be joined", .input = "{\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8]}",
     .layers = TYPE("Concat", "\"from\": [\"a\", \"b\"]"), .code = "concat_sizes_differ",
     .pointer = "/layers/0/from"},
    {.name = "channels to be joined along the height", .input = "{\"a\": [1, 4, 8, 8], \"b\": [1, 3, 8, 8]}",
     .layers = TYPE("Concat", "\"from\": [\"a\", \"b\", \"b\"], \"dim\": -2"), .code = "concat_sizes_differ",
     .pointer = "/layers/0/from", .count = 2},

    {.name = "a reflection too wide", .input = IMAGE, .layers = TYPE("ReflectionPad2d", "\"padding\": [7, 8, 0, 0]"),
     .code = "border_too_wide", .pointer = "/layers/0/padding", .axis = "W",
     .detail = "ReflectionPad2d would need 8 cells from an axis of 8; at most 7"},
    {.name = "a wrap too wide", .input = IMAGE, .layers = TYPE("CircularPad2d", "\"padding\": [[9, 0], [8, 8]]"),
     .code = "border_too_wide", .pointer = "/layers/0/padding", .axis = "H"},
    {.name = "a border that crops all", .input = IMAGE, .layers = TYPE("ZeroPad2d", "\"padding\": -4"),
     .code = "crop_leaves_nothing", .pointer = "/layers/0/padding", .axis = "H", .count = 2},
    {.name = "a border that crops more than there is", .input = IMAGE,
     .layers = TYPE("ConstantPad2d", "\"padding\": [[-9, 3], [0, 0]], \"value\": 1.5"), .code = "crop_leaves_nothing",
     .pointer = "/layers/0/padding", .axis = "H"},
    {.name = "a crop larger than its input", .input = IMAGE, .layers = TYPE("CenterCrop2d", "\"output_size\": [8, 9]"),
     .code = "crop_exceeds_input", .pointer = "/layers/0/output_size", .axis = "W", .detail = "cannot crop 8 to 9"},
    {.name = "a crop like a larger layer", .input = "{\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8, 9]}",
     .layers = TYPE("CenterCrop2d", "\"from\": \"a\", \"like\": \"b\""), .code = "crop_exceeds_input",
     .pointer = "/layers/0/like", .axis = "W"},
    {.name = "a crop like a layer of another rank", .input = "{\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8]}",
     .layers = TYPE("CenterCrop2d", "\"from\": \"a\", \"like\": \"b\""), .code = "like_rank_differs",
     .pointer = "/layers/0/like"},

    {.name = "a mode for another rank", .input = IMAGE,
     .layers = TYPE("Upsample", "\"scale_factor\": 2, \"mode\": \"trilinear\""), .code = "mode_needs_rank",
     .pointer = "/layers/0/mode", .detail = "mode \\\"trilinear\\\" takes 5 dimensions, the input has 4"},
    {.name = "factors for another rank", .input = IMAGE, .layers = TYPE("Upsample", "\"scale_factor\": [2, 2, 2]"),
     .code = "wrong_axis_count", .pointer = "/layers/0/scale_factor"},
    {.name = "sizes for another rank", .input = "[1, 4, 8]", .layers = TYPE("Upsample", "\"size\": [2, 2]"),
     .code = "wrong_axis_count", .pointer = "/layers/0/size"},
    {.name = "an upsampling to nothing", .input = IMAGE, .layers = TYPE("Upsample", "\"scale_factor\": [0.125, 0.1]"),
     .code = "scale_leaves_nothing", .pointer = "/layers/0/scale_factor", .axis = "W"},
    {.name = "normalized_shape", .input = IMAGE, .layers = TYPE("LayerNorm", "\"normalized_shape\": [4, 8]"),
     .code = "normalized_shape_differs", .pointer = "/layers/0/normalized_shape"},
    {.name = "normalized_shape of more dimensions", .input = "[4, 8]",
     .layers = TYPE("LayerNorm", "\"normalized_shape\": [1, 4, 8]"), .code = "normalized_shape_differs",
     .pointer = "/layers/0/normalized_shape"},
    {.name = "an instance norm of one value", .input = "[2, 4, 1, 1]", .layers = "{\"type\": \"InstanceNorm2d\"}",
     .code = "one_value_to_normalise", .pointer = "/layers/0"},
    {.name = "a group norm of one value", .input = "[1, 4, 1, 1]", .layers = TYPE("GroupNorm", "\"num_groups\": 4"),
     .code = "one_value_to_normalise", .pointer = "/layers/0"},
    {.name = "an expectation", .input = IMAGE, .layers = TYPE("ReLU", "\"expect\": [null, 4, 8, 9]"),
     .code = "expectation_failed", .pointer = "/layers/0/expect",
     .detail = "expected [null, 4, 8, 9], the output is [1, 4, 8, 8]"},
    {.name = "an expectation of another rank", .input = IMAGE, .layers = TYPE("ReLU", "\"expect\": [1, 4, 8]"),
     .code = "expectation_failed", .pointer = "/layers/0/expect"},
    {.name = "an opaque layer", .input = IMAGE, .layers = "{\"type\": \"Opaque\", \"name\": \"x\"}, {\"type\": \"ReLU\"}",
     .code = "unknown_shape", .pointer = "/layers/0", .detail = "`x` is opaque"},

    {.name = "no receptive field: adaptive pool", .input = IMAGE,
     .layers = TYPE("AdaptiveAvgPool2d", "\"output_size\": 2"), .code = "receptive_field_unknown",
     .pointer = "/layers/0", .detail = "the windows of adaptive pooling differ in size"},
    {.name = "no receptive field: branches of different strides", .input = IMAGE,
     .layers = TYPE("MaxPool2d", "\"kernel_size\": 2") ", " TYPE("Upsample", "\"size\": 8, \"mode\": \"area\"") ", "
               TYPE("Add", "\"from\": [\"upsample_1\", \"input\"]"),
     .code = "receptive_field_unknown", .pointer = "/layers/1"},
    {.name = "no receptive field: inputs of different ranks", .input = "{\"a\": [1, 4, 8, 8], \"b\": [4, 8, 8]}",
     .layers = TYPE("Add", "\"from\": [\"a\", \"b\"]"), .code = "receptive_field_unknown", .pointer = "/layers/0",
     .detail = "the branches have different strides or are broadcast"},
    {.name = "no receptive field: an opaque layer", .input = IMAGE,
     .layers = TYPE("Opaque", "\"output_shape\": [1, 4, 8, 8]"), .code = "receptive_field_unknown",
     .pointer = "/layers/0", .detail = "the layer is opaque"},
};

static void write_request(FILE *file, const struct finding_row *row)
{
    (void)fprintf(file, "{%s\"%s\": %s, \"layers\": [%s]}", row->more ? row->more : "",
                  *row->input == '{' ? "inputs" : "input", row->input, row->layers);
}

/* The position of a finding that is as the row says, or −1. */
static int find_finding(struct cp_text body, const struct finding_row *row)
{
    int count = cp_test_count(cp_test_at(body, "/findings"));
    for (int at = 0; at < count; at++) {
        struct cp_text axis = cp_test_atf(body, "/findings/%d/axis", at);
        if (cp_test_is_string(cp_test_atf(body, "/findings/%d/code", at), row->code) &&
            cp_test_is_string(cp_test_atf(body, "/findings/%d/pointer", at), row->pointer) &&
            (row->axis ? cp_test_is_string(axis, row->axis) : cp_test_is(axis, "null")))
            return at;
    }
    return -1;
}

/* What is wrong with the finding, or NULL. */
static const char *compare_finding(struct cp_text body, const struct finding_row *row)
{
    int at = find_finding(body, row);
    if (at < 0) return "no such finding";
    bool error = cp_statuses[code_of(row->code)].severity == CP_SEVERITY_ERROR || row->more;
    if (cp_test_count(cp_test_at(body, "/findings")) != (row->count ? row->count : 1)) return "another number of findings";
    if (!cp_test_is_string(cp_test_atf(body, "/findings/%d/severity", at), error ? "error" : "warning")) return "severity";
    if (!cp_test_is(cp_test_at(body, "/valid"), error ? "false" : "true")) return "valid";
    if (row->detail && !cp_test_holds(cp_test_atf(body, "/findings/%d/detail", at), row->detail)) return "detail";
    struct cp_text fix = cp_test_atf(body, "/findings/%d/fix", at);
    if (!row->fix) return fix.size ? "an unexpected fix" : NULL;
    if (fix.size == 0) return "no fix";
    if (!cp_test_is_string(cp_test_at(fix, "/pointer"), row->fix_at)) return "the fix's pointer";
    return cp_test_is(cp_test_at(fix, "/value"), row->fix) ? NULL : "the fix's value";
}

/* With the fix in the request, there is nothing left to find. */
static bool check_fix(struct cp_text request, const struct finding_row *row)
{
    struct cp_test_text fixed;
    struct cp_test_exchange exchange;
    cp_test_patch(cp_test_begin(&fixed), request, row->fix_at, cp_text_of(row->fix));
    cp_test_post(&exchange, cp_test_finish(&fixed));
    bool right = cp_test_is(cp_test_at(exchange.reply.body, "/valid"), "true");
    if (!right)
        print_error("%s: the fix does not mend it\n  %s\n  %.*s\n", row->name, fixed.bytes, (int)exchange.reply.body.size,
                    exchange.reply.body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&fixed);
    return right;
}

static bool check_finding(const struct finding_row *row)
{
    struct cp_test_text text;
    struct cp_test_exchange exchange;
    write_request(cp_test_begin(&text), row);
    struct cp_text request = cp_test_finish(&text);
    cp_test_post(&exchange, request);
    struct cp_text body = exchange.reply.body;
    const char *wrong = exchange.reply.status == 200 ? compare_finding(body, row) : "status";
    if (wrong) print_error("%s: %s\n  %s\n  %.*s\n", row->name, wrong, text.bytes, (int)body.size, body.bytes);
    seen[code_of(row->code)] = true;
    bool right = !wrong && (!row->fix || check_fix(request, row));
    cp_test_close(&exchange);
    cp_test_free(&text);
    return right;
}

static void test_findings(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t at = 0; at < sizeof finding_rows / sizeof finding_rows[0]; at++) wrong += !check_finding(&finding_rows[at]);
    if (wrong) fail_msg("%d rows failed", wrong);
}

/* ---- Problems ----------------------------------------------------------------------------------------------------- */

struct problem_row {
    const char *name;
    const char *request;
    const char *code;
    const char *pointer;
    const char *suggestion; /* what it has to hold; NULL: not looked at */
    const char *detail;
    int count; /* of all errors; 0: one */
};

#define LAYER(layer) "{\"input\": [1, 4, 8, 8], \"layers\": [" layer "]}"
#define DEEP_16 "[[[[[[[[[[[[[[[["

static const struct problem_row problem_rows[] = {
    {.name = "no JSON", .request = "{\"input\": [1,]}", .code = "invalid_json", .pointer = ""},
    {.name = "nothing", .request = "", .code = "invalid_json", .pointer = ""},
    {.name = "a member twice", .request = "{\"input\": [1, 2], \"input\": [1, 2]}", .code = "duplicate_member",
     .pointer = ""},
    {.name = "nested too deeply", .request = "{\"meta\": " DEEP_16 DEEP_16 DEEP_16 DEEP_16, .code = "json_too_deep",
     .pointer = ""},
    {.name = "a zero character", .request = LAYER("{\"type\": \"ReLU\", \"name\": \"a\\u0000\"}"),
     .code = "nul_in_string", .pointer = ""},
    {.name = "a number beyond binary64", .request = LAYER("{\"type\": \"ELU\", \"alpha\": 1e400}"),
     .code = "number_out_of_range", .pointer = ""},
    {.name = "not an object", .request = "[1, 2]", .code = "wrong_type", .pointer = ""},

    {.name = "an unknown member of the request",
     .request = "{\"input\": [1, 2], \"layer\": 1, \"layers\": [{\"type\": \"ReLU\"}]}", .code = "unknown_member",
     .pointer = "/layer", .suggestion = "did you mean `layers`?"},
    {.name = "an unknown member of the request, like none",
     .request = "{\"input\": [1, 2], \"device\": 1, \"layers\": [{\"type\": \"ReLU\"}]}", .code = "unknown_member",
     .pointer = "/device", .suggestion = "known here: `layers`, `input`"},
    {.name = "an unknown member of a layer", .request = LAYER(CONV("\"kernel_size\": 3, \"strides\": 2")),
     .code = "unknown_member", .pointer = "/layers/0/strides", .suggestion = "did you mean `stride`?"},
    {.name = "an unknown common member of a layer", .request = LAYER("{\"type\": \"ReLU\", \"form\": \"input\"}"),
     .code = "unknown_member", .pointer = "/layers/0/form", .suggestion = "did you mean `from`?"},
    {.name = "a member of another kind", .request = LAYER(TYPE("AvgPool2d", "\"kernel_size\": 2, \"dilation\": 1")),
     .code = "unknown_member", .pointer = "/layers/0/dilation"},
    {.name = "a member with an empty name", .request = LAYER("{\"type\": \"ReLU\", \"\": 1}"),
     .code = "unknown_member", .pointer = "/layers/0/"},
    {.name = "a member with slashes", .request = LAYER("{\"type\": \"ReLU\", \"a/b~\": 1}"), .code = "unknown_member",
     .pointer = "/layers/0/a~1b~0"},
    {.name = "no layers", .request = "{\"input\": [1, 2]}", .code = "missing_member", .pointer = ""},
    {.name = "no input", .request = "{\"layers\": [{\"type\": \"ReLU\"}]}", .code = "missing_member", .pointer = ""},
    {.name = "no type", .request = LAYER("{\"name\": \"a\"}"), .code = "missing_member", .pointer = "/layers/0",
     .suggestion = "GET /v1/layers"},
    {.name = "no kernel_size", .request = LAYER("{\"type\": \"MaxPool2d\"}"), .code = "missing_member",
     .pointer = "/layers/0", .detail = "`kernel_size` is required"},
    {.name = "neither size nor scale_factor", .request = LAYER("{\"type\": \"Upsample\"}"), .code = "missing_member",
     .pointer = "/layers/0", .detail = "`size` or `scale_factor` is required"},
    {.name = "neither output_size nor like", .request = LAYER("{\"type\": \"CenterCrop2d\"}"), .code = "missing_member",
     .pointer = "/layers/0", .detail = "`output_size` or `like` is required"},
    {.name = "several inputs and no from", .request = "{\"inputs\": {\"a\": [1], \"b\": [1]}, \"layers\": "
     "[{\"type\": \"ReLU\"}, {\"type\": \"ReLU\"}]}", .code = "missing_member", .pointer = "/layers/0",
     .suggestion = "there are several inputs"},
    {.name = "the wrong type of a size", .request = LAYER("{\"type\": \"Linear\", \"out_features\": \"8\"}"),
     .code = "wrong_type", .pointer = "/layers/0/out_features", .detail = "expected an integer, got \\\"8\\\""},
    {.name = "a stride of 0", .request = LAYER(CONV("\"kernel_size\": 3, \"stride\": [1, 0]")), .code = "out_of_range",
     .pointer = "/layers/0/stride/1", .detail = "expected an integer from 1 to 2^53 − 1, got 0"},
    {.name = "too few values", .request = LAYER(CONV("\"kernel_size\": [3]")), .code = "wrong_length",
     .pointer = "/layers/0/kernel_size", .detail = "expected one value for each of 2 axes, got a list of 1 value"},
    {.name = "an unknown word", .request = LAYER(CONV("\"kernel_size\": 3, \"padding\": \"same_uper\"")),
     .code = "unknown_word", .pointer = "/layers/0/padding", .suggestion = "did you mean `same_upper`?"},
    {.name = "same on a transposed layer", .request = LAYER(UP("\"kernel_size\": 3, \"padding\": \"same\"")),
     .code = "unknown_word", .pointer = "/layers/0/padding"},
    {.name = "an unknown type", .request = LAYER("{\"type\": \"conv2d\", \"out_channels\": 4}"),
     .code = "unknown_layer_type", .pointer = "/layers/0/type", .suggestion = "did you mean `Conv2d`?"},
    {.name = "an unknown source", .request = LAYER("{\"type\": \"ReLU\", \"name\": \"stem\"}, "
     "{\"type\": \"ReLU\", \"from\": \"stme\"}"), .code = "unknown_layer_name", .pointer = "/layers/1/from",
     .suggestion = "did you mean `stem`?"},
    {.name = "an unknown source of several", .request = LAYER("{\"type\": \"Add\", \"from\": [\"input\", \"b\"]}"),
     .code = "unknown_layer_name", .pointer = "/layers/0/from/1"},
    {.name = "an unknown source in a list of one", .request = LAYER("{\"type\": \"Add\", \"from\": [\"b\"]}"),
     .code = "unknown_layer_name", .pointer = "/layers/0/from"},
    {.name = "an unknown like", .request = LAYER(TYPE("CenterCrop2d", "\"like\": \"b\"")),
     .code = "unknown_layer_name", .pointer = "/layers/0/like"},
    {.name = "a later layer", .request = LAYER("{\"type\": \"ReLU\", \"from\": \"b\"}, "
     "{\"type\": \"ReLU\", \"name\": \"b\", \"from\": \"input\"}"), .code = "later_layer", .pointer = "/layers/0/from"},
    {.name = "a cycle of one", .request = LAYER("{\"type\": \"ReLU\", \"name\": \"a\", \"from\": \"a\"}"),
     .code = "cycle", .pointer = "/layers/0/from"},
    {.name = "a cycle of two", .request = LAYER("{\"type\": \"ReLU\", \"from\": \"b\"}, "
     "{\"type\": \"ReLU\", \"name\": \"b\"}"), .code = "cycle", .pointer = "/layers/0/from"},
    {.name = "a crop like itself", .request = LAYER(TYPE("CenterCrop2d", "\"name\": \"a\", \"like\": \"a\"")),
     .code = "cycle", .pointer = "/layers/0/like"},
    {.name = "two layers of one name", .request = LAYER("{\"type\": \"ReLU\", \"name\": \"a\"}, "
     "{\"type\": \"ReLU\", \"name\": \"a\"}"), .code = "duplicate_name", .pointer = "/layers/1/name",
     .detail = "`a` is already the name of the layer at position 0"},
    {.name = "a layer with an input's name", .request = LAYER("{\"type\": \"ReLU\", \"name\": \"input\"}"),
     .code = "duplicate_name", .pointer = "/layers/0/name", .detail = "`input` is already the name of an input"},
    {.name = "input and inputs", .request = "{\"input\": [1], \"inputs\": {\"a\": [1]}, \"layers\": "
     "[{\"type\": \"ReLU\"}]}", .code = "conflicting_members", .pointer = "/input"},
    {.name = "output_size and output_padding",
     .request = LAYER(UP("\"kernel_size\": 3, \"output_size\": 9, \"output_padding\": 1")),
     .code = "conflicting_members", .pointer = "/layers/0/output_size"},
    {.name = "output_size on one axis and output_padding",
     .request = LAYER(UP("\"kernel_size\": 3, \"output_size\": [null, 9], \"output_padding\": 1")),
     .code = "conflicting_members", .pointer = "/layers/0/output_size"},
    {.name = "same_upper and output_padding",
     .request = LAYER(UP("\"kernel_size\": 3, \"stride\": 2, \"padding\": \"same_upper\", \"output_padding\": 1")),
     .code = "conflicting_members", .pointer = "/layers/0/output_padding"},
    {.name = "same_lower and output_size",
     .request = LAYER(UP("\"kernel_size\": 3, \"stride\": 2, \"padding\": \"same_lower\", \"output_size\": 16")),
     .code = "conflicting_members", .pointer = "/layers/0/output_size"},
    {.name = "size and scale_factor", .request = LAYER(TYPE("Upsample", "\"size\": 16, \"scale_factor\": 2")),
     .code = "conflicting_members", .pointer = "/layers/0/scale_factor"},
    {.name = "align_corners of a mode that has none",
     .request = LAYER(TYPE("Upsample", "\"size\": 16, \"align_corners\": true")), .code = "conflicting_members",
     .pointer = "/layers/0/align_corners"},
    {.name = "output_size and like", .request = LAYER(TYPE("CenterCrop2d", "\"output_size\": 2, \"like\": \"input\"")),
     .code = "conflicting_members", .pointer = "/layers/0/like"},
    {.name = "two open sizes", .request = LAYER(TYPE("Reshape", "\"shape\": [-1, 4, -1]")), .code = "two_open_sizes",
     .pointer = "/layers/0/shape"},
    {.name = "two open sizes to unflatten",
     .request = LAYER(TYPE("Unflatten", "\"dim\": 1, \"unflattened_size\": [-1, -1]")), .code = "two_open_sizes",
     .pointer = "/layers/0/unflattened_size"},
    {.name = "an input of too many elements",
     .request = "{\"input\": [9007199254740991, 2], \"layers\": [{\"type\": \"ReLU\"}]}", .code = "limit_exceeded",
     .pointer = "/input"},
    {.name = "an empty stack", .request = "{\"input\": [1], \"layers\": []}", .code = "no_layers",
     .pointer = "/layers"},
};

static int find_error(struct cp_text body, const struct problem_row *row)
{
    int count = cp_test_count(cp_test_at(body, "/errors"));
    for (int at = 0; at < count; at++)
        if (cp_test_is_string(cp_test_atf(body, "/errors/%d/code", at), row->code) &&
            cp_test_is_string(cp_test_atf(body, "/errors/%d/pointer", at), row->pointer))
            return at;
    return -1;
}

static const char *compare_problem(struct cp_text body, const struct problem_row *row)
{
    char type[64];
    int at = find_error(body, row);
    if (at < 0) return "no such error";
    (void)snprintf(type, sizeof type, "/problems/%s", row->code);
    if (cp_test_count(cp_test_at(body, "/errors")) != (row->count ? row->count : 1)) return "another number of errors";
    if (!cp_test_is_string(cp_test_at(body, "/type"), type)) return "type";
    if (!cp_test_is_string(cp_test_at(body, "/title"), cp_statuses[code_of(row->code)].title)) return "title";
    if (row->detail && !cp_test_holds(cp_test_atf(body, "/errors/%d/detail", at), row->detail)) return "detail";
    if (row->suggestion && !cp_test_holds(cp_test_atf(body, "/errors/%d/suggestion", at), row->suggestion)) return "suggestion";
    return NULL;
}

static bool check_problem_text(const struct problem_row *row, struct cp_text request)
{
    struct cp_test_exchange exchange;
    enum cp_code code = code_of(row->code);
    cp_test_post(&exchange, request);
    struct cp_text body = exchange.reply.body;
    const char *wrong = compare_problem(body, row);
    if (exchange.reply.status != cp_statuses[code].http_status) wrong = "status";
    if (wrong)
        print_error("%s: %s\n  %.*s\n  %d %.*s\n", row->name, wrong, request.size > 2000 ? 2000 : (int)request.size,
                    request.bytes, exchange.reply.status, (int)body.size, body.bytes);
    seen[code] = true;
    cp_test_close(&exchange);
    return !wrong;
}

static void test_problems(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t at = 0; at < sizeof problem_rows / sizeof problem_rows[0]; at++)
        wrong += !check_problem_text(&problem_rows[at], cp_text_of(problem_rows[at].request));
    if (wrong) fail_msg("%d rows failed", wrong);
}

static void test_too_many_values(void **state)
{
    (void)state;
    static const struct problem_row row = {.name = "4,000,001 values", .code = "json_too_many_values", .pointer = ""};
    struct cp_test_text text;
    FILE *file = cp_test_begin(&text);
    (void)fputs("{\"meta\": [0", file);
    for (int value = 3; value <= CP_MAX_JSON_VALUES; value++) (void)fputs(",0", file);
    (void)fputs("]}", file);
    bool right = check_problem_text(&row, cp_test_finish(&text));
    cp_test_free(&text);
    assert_true(right);
}

/* ---- Several at once ---------------------------------------------------------------------------------------------- */

static void test_all_errors_of_a_request_are_reported(void **state)
{
    (void)state;
    static const char request[] =
        "{\"input\": [1, 0, 8, \"8\"], \"dtype\": \"float\", \"layout\": 1, \"explain\": 0, \"extra\": 1, \"layers\": ["
        "{\"type\": \"Conv2d\", \"kernel_size\": 0, \"stride\": [2, -1], \"padding\": [[0, 0], [0]], \"bias\": 1, "
        "\"dilaton\": 2}, 5, {\"type\": \"Relu6\"}, {\"type\": \"ReLU\", \"name\": \"\", \"expect\": [0]}, "
        "{\"type\": \"Add\", \"from\": [\"nobody\", 7]}]}";
    static const char *const expected[][2] = {
        {"out_of_range", "/input/1"},
        {"wrong_type", "/input/3"},
        {"unknown_word", "/dtype"},
        {"wrong_type", "/layout"},
        {"wrong_type", "/explain"},
        {"unknown_member", "/extra"},
        {"missing_member", "/layers/0"},
        {"out_of_range", "/layers/0/kernel_size"},
        {"out_of_range", "/layers/0/stride/1"},
        {"wrong_length", "/layers/0/padding/1"},
        {"wrong_type", "/layers/0/bias"},
        {"unknown_member", "/layers/0/dilaton"},
        {"wrong_type", "/layers/1"},
        {"unknown_layer_type", "/layers/2/type"},
        {"out_of_range", "/layers/3/name"},
        {"out_of_range", "/layers/3/expect/0"},
        {"unknown_layer_name", "/layers/4/from/0"},
        {"wrong_type", "/layers/4/from/1"},
    };
    enum { EXPECTED = sizeof expected / sizeof expected[0] };
    struct cp_test_exchange exchange;
    cp_test_post(&exchange, CP_TEXT(request));
    for (int at = 0; at < EXPECTED; at++) {
        const struct problem_row row = {.code = expected[at][0], .pointer = expected[at][1]};
        if (find_error(exchange.reply.body, &row) < 0)
            fail_msg("no %s at %s in %.*s", row.code, row.pointer, (int)exchange.reply.body.size,
                     exchange.reply.body.bytes);
    }
    int count = cp_test_count(cp_test_at(exchange.reply.body, "/errors"));
    if (count != EXPECTED) fail_msg("%d errors in %.*s", count, (int)exchange.reply.body.size, exchange.reply.body.bytes);
    cp_test_close(&exchange);
}

static void test_independent_branches_are_planned(void **state)
{
    (void)state;
    static const char request[] = LAYER(
        "{\"type\": \"Conv2d\", \"name\": \"bad\", \"out_channels\": 4, \"kernel_size\": 9}, "
        "{\"type\": \"ReLU\", \"name\": \"after\"}, "
        "{\"type\": \"Conv2d\", \"name\": \"good\", \"from\": \"input\", \"out_channels\": 2, \"kernel_size\": 3}, "
        "{\"type\": \"MaxPool2d\", \"name\": \"second\", \"kernel_size\": 7}, "
        "{\"type\": \"CenterCrop2d\", \"name\": \"like\", \"from\": \"good\", \"like\": \"after\"}, "
        "{\"type\": \"Add\", \"name\": \"both\", \"from\": [\"good\", \"after\"]}, "
        "{\"type\": \"ReLU\", \"name\": \"last\", \"from\": \"good\"}");
    static const char *const outputs[] = {"null", "null", "[1,2,6,6]", "null", "null", "null", "[1,2,6,6]"};
    struct cp_test_exchange exchange;
    cp_test_post(&exchange, CP_TEXT(request));
    struct cp_text body = exchange.reply.body;
    for (int at = 0; at < 7; at++)
        if (!cp_test_is(cp_test_atf(body, "/layers/%d/output", at), outputs[at]))
            fail_msg("layer %d in %.*s", at, (int)body.size, body.bytes);
    assert_true(cp_test_is(cp_test_at(body, "/valid"), "false"));
    assert_true(cp_test_is(cp_test_at(body, "/output"), "[1,2,6,6]"));
    assert_true(cp_test_is(cp_test_at(body, "/totals/macs"), "null"));
    assert_true(cp_test_is(cp_test_at(body, "/totals/peak_activation_bytes"), "null"));
    assert_int_equal(cp_test_count(cp_test_at(body, "/findings")), 4);
    for (int at = 0; at < 4; at++)
        assert_true(cp_test_is_string(cp_test_atf(body, "/findings/%d/layer", at), at < 2 ? "bad" : "second"));
    cp_test_close(&exchange);
}

static void test_example_of_the_contract(void **state)
{
    (void)state;
    static const char request[] =
        "{\"input\": [1, 3, 224, 224], \"layers\": [{\"type\": \"Conv2d\", \"name\": \"conv1\", \"out_channels\": 64, "
        "\"kernel_size\": 7, \"stride\": 2, \"padding\": 3, \"bias\": false}, {\"type\": \"BatchNorm2d\"}, "
        "{\"type\": \"ReLU\", \"name\": \"stem\"}, {\"type\": \"MaxPool2d\", \"kernel_size\": 3, \"stride\": 2, "
        "\"padding\": 1, \"expect\": [1, 64, 56, 56]}], \"explain\": true}";
    static const char *const values[][2] = {
        {"/valid", "true"},
        {"/input", "[1,3,224,224]"},
        {"/output", "[1,64,56,56]"},
        {"/layers/0/name", "\"conv1\""},
        {"/layers/0/type", "\"Conv2d\""},
        {"/layers/0/from", "[\"input\"]"},
        {"/layers/0/output", "[1,64,112,112]"},
        {"/layers/0/params", "9408"},
        {"/layers/0/macs", "118013952"},
        {"/layers/0/output_bytes", "3211264"},
        {"/layers/0/receptive_field", "{\"size\":[7,7],\"stride\":[2,2],\"start\":[-3,-3]}"},
        {"/layers/0/relationship", "6"},
        {"/layers/0/formula/0", "\"o = ⌊(i + 2p − k)/s⌋ + 1 = ⌊(224 + 2·3 − 7)/2⌋ + 1 = 112\""},
        {"/layers/0/formula/1", "\"o = ⌊(i + 2p − k)/s⌋ + 1 = ⌊(224 + 2·3 − 7)/2⌋ + 1 = 112\""},
        {"/layers/1/name", "\"batchnorm2d_1\""},
        {"/layers/1/from", "[\"conv1\"]"},
        {"/layers/1/params", "128"},
        {"/layers/1/macs", "0"},
        {"/layers/3/name", "\"maxpool2d_3\""},
        {"/layers/3/receptive_field", "{\"size\":[11,11],\"stride\":[4,4],\"start\":[-5,-5]}"},
        {"/layers/3/relationship", "6"},
        {"/totals/params", "9536"},
        {"/totals/macs", "118013952"},
        {"/totals/flops", "236027904"},
        {"/totals/output_bytes", "10436608"},
        {"/totals/peak_activation_bytes", "6422528"},
        {"/findings", "[]"},
    };
    struct cp_test_exchange exchange;
    cp_test_post(&exchange, CP_TEXT(request));
    for (size_t at = 0; at < sizeof values / sizeof values[0]; at++) {
        struct cp_text value = cp_test_at(exchange.reply.body, values[at][0]);
        if (!cp_test_is(value, values[at][1]))
            fail_msg("%s is %.*s, wanted %s", values[at][0], (int)value.size, value.bytes, values[at][1]);
    }
    cp_test_close(&exchange);
}

/* ---- Coverage ----------------------------------------------------------------------------------------------------- */

/* Codes that no body brings about: tests/unit/test_service.c and tests/http have them. */
static bool is_of_the_transport(enum cp_code code)
{
    return code >= CP_CODE_bad_request && code <= CP_CODE_internal_error;
}

/* Codes that /v1/shapes does not give: findings and problems of other endpoints follow its own. */
static bool is_of_another_endpoint(enum cp_code code)
{
    return (code > CP_CODE_receptive_field_unknown && code < CP_CODE_bad_request) || code > CP_CODE_no_layers;
}

/* Runs last. */
static void test_every_code_is_hit(void **state)
{
    (void)state;
    int missed = 0;
    for (int code = 0; code < CP_CODE_COUNT; code++) {
        if (seen[code] || is_of_the_transport((enum cp_code)code) || is_of_another_endpoint((enum cp_code)code)) continue;
        print_error("no row brings about %s\n", cp_statuses[code].code);
        missed++;
    }
    assert_int_equal(missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_too_many_values),
        cmocka_unit_test(test_all_errors_of_a_request_are_reported),
        cmocka_unit_test(test_independent_branches_are_planned),
        cmocka_unit_test(test_example_of_the_contract),
        cmocka_unit_test(test_every_code_is_hit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
