/* Every rule of the planner: a stack that breaks it, and exactly what has to be said. A fix is applied to the request,
 * which then has to be valid. */
#include "core/finding.h"
#include "tests/service_client.h"

static bool seen[CP_CODE_COUNT];

static enum cp_code code_of(const char *name)
{
    for (int code = 0; code < CP_CODE_COUNT; code++)
        if (strcmp(cp_statuses[code].code, name) == 0) return (enum cp_code)code;
    fail_msg("no code is named %s", name);
    return CP_CODE_COUNT;
}

struct row {
    const char *name;
    const char *input;  /* shape, or an object of them */
    const char *layers; /* without the brackets */
    const char *code;
    const char *pointer;
    const char *axis;   /* NULL: none */
    const char *fix;    /* "member: value", of the first layer; NULL: none */
    const char *detail; /* what the detail has to hold; NULL: not looked at */
    int count;          /* of all findings; with those that are left with the fix, see LEAVES */
    const char *more;   /* more members of the request */
};

/* So many findings, and `left` with the fix in the request; else it is valid then. */
#define LEAVES(left, count) ((count) | (left) << 8)
#define COUNT_OF(row) ((row)->count & 0xFF)
#define LEFT_OF(row) ((row)->count >> 8)

#define CONV(rest) "{\"type\": \"Conv2d\", \"out_channels\": 4, " rest "}"
#define UP(rest) "{\"type\": \"ConvTranspose2d\", \"out_channels\": 4, " rest "}"
#define TYPE(type_, rest) "{\"type\": \"" type_ "\", " rest "}"
#define IMAGE "[1, 4, 8, 8]"

static const struct row rows[] = {
    {"a kernel larger than its input", IMAGE, CONV("\"kernel_size\": [3, 9]"), "kernel_exceeds_input",
     "/layers/0/kernel_size", "W", "padding: [0,1]",
     "the kernel spans 9 cells (kernel_size 9, dilation 1), but the padded input has only 8", 1, ""},
    {"a dilated kernel larger than its input", IMAGE,
     CONV("\"kernel_size\": 4, \"dilation\": [3, 2], \"padding\": [[0, 1], [0, 0]]"), "kernel_exceeds_input",
     "/layers/0/kernel_size", "H", "padding: [[1,2],[0,0]]", NULL, 1, ""},
    {"on both axes", IMAGE, CONV("\"kernel_size\": 9"), "kernel_exceeds_input", "/layers/0/kernel_size", "H",
     "padding: [1,1]", NULL, 2, ""},
    {"on the only axis", "[1, 4, 8]", TYPE("Conv1d", "\"out_channels\": 1, \"kernel_size\": 9"), "kernel_exceeds_input",
     "/layers/0/kernel_size", "L", "padding: [1]", NULL, 1, ""},
    {"on the depth", "[1, 4, 2, 8, 8]", TYPE("Conv3d", "\"out_channels\": 1, \"kernel_size\": 3"),
     "kernel_exceeds_input", "/layers/0/kernel_size", "D", "padding: [1,0,0]", NULL, 1, ""},
    {"a pool larger than its input", "[1, 4, 1, 8]", TYPE("MaxPool2d", "\"kernel_size\": 2"), "kernel_exceeds_input",
     "/layers/0/kernel_size", "H", "padding: [1,0]", NULL, 1, ""},
    {"a pool with unequal padding larger than its input", "[1, 4, 1]",
     TYPE("MaxPool1d", "\"kernel_size\": 5, \"stride\": 1, \"padding\": [[2, 0]]"), "kernel_exceeds_input",
     "/layers/0/kernel_size", "L", "padding: [2]", NULL, 1, ""},
    {"a pool beside an axis that is padded beyond all counts", "[1, 4, 1, 1]",
     TYPE("MaxPool2d", "\"kernel_size\": [7, 4], \"padding\": [9007199254740991, 0]"), "kernel_exceeds_input",
     "/layers/0/kernel_size", "W", "padding: [3,2]", NULL, 3, ""},
    {"a kernel beside one that overflows", IMAGE,
     CONV("\"kernel_size\": [9, 2147483648], \"dilation\": [1, 4503599627370496]"), "kernel_exceeds_input",
     "/layers/0/kernel_size", "H", NULL, NULL, 2, ""},
    {"a pool with ceiling larger than its input", "[1, 4, 2]",
     TYPE("AvgPool1d", "\"kernel_size\": 5, \"stride\": 2, \"ceil_mode\": true"), "kernel_exceeds_input",
     "/layers/0/kernel_size", "L", "padding: [1]", NULL, 1, ""},
    {"a transposed layer that crops all", "[1, 4, 1, 8]", UP("\"kernel_size\": 2, \"padding\": 1"), "empty_output",
     "/layers/0/padding", "H", NULL, NULL, 1, ""},
    {"an unpooling that crops all", "[1, 4, 1]", TYPE("MaxUnpool1d", "\"kernel_size\": 2, \"padding\": 1"),
     "empty_output", "/layers/0/padding", "L", NULL, NULL, 1, ""},
    {"full padding crops all", "[1, 4, 1, 1]", UP("\"kernel_size\": 3, \"padding\": \"full\""), "empty_output",
     "/layers/0/padding", "H", NULL, NULL, 2, ""},
    {"a span that cannot be counted", IMAGE,
     CONV("\"kernel_size\": [3, 2147483648], \"dilation\": [1, 4503599627370496]"), "size_overflow", "/layers/0", "W",
     NULL, NULL, 1, ""},
    {"padding that cannot be counted", IMAGE, CONV("\"kernel_size\": 3, \"padding\": [9007199254740991, 1]"),
     "size_overflow", "/layers/0", "H", NULL, NULL, 1, ""},
    {"a transposed size that cannot be counted", IMAGE, UP("\"kernel_size\": 1, \"stride\": 4503599627370496"),
     "size_overflow", "/layers/0", "H", NULL, NULL, 2, ""},
    {"an unpooled size that cannot be counted", "[1, 4, 8]",
     TYPE("MaxUnpool1d", "\"kernel_size\": 9007199254740991, \"output_size\": 5"), "size_overflow", "/layers/0", "L",
     NULL, NULL, 1, ""},
    {"parameters that cannot be counted", IMAGE,
     TYPE("Conv2d", "\"out_channels\": 9007199254740991, \"kernel_size\": 1"), "count_overflow", "/layers/0", NULL,
     NULL, "over 2^53 − 1", 1, ""},
    {"bytes that cannot be counted", "[1, 1, 94906265, 94906265]", "{\"type\": \"ReLU\"}", "count_overflow",
     "/layers/0", NULL, NULL, "the output's bytes", 1, ""},
    {"a sum of channels that cannot be counted", "[1, 9007199254740991]",
     TYPE("Concat", "\"from\": [\"input\", \"input\"]"), "count_overflow", "/layers/0/from", NULL, NULL, NULL, 1, ""},
    {"a border that cannot be counted", IMAGE, TYPE("ZeroPad2d", "\"padding\": [0, 0, 0, 9007199254740990]"),
     "count_overflow", "/layers/0/padding", "H", NULL, NULL, 1, ""},
    {"an upsampling that cannot be counted", IMAGE, TYPE("Upsample", "\"scale_factor\": [1, 1e16]"), "count_overflow",
     "/layers/0/scale_factor", "W", NULL, NULL, 1, ""},
    {"a shuffle by a factor whose square cannot be counted", IMAGE,
     TYPE("PixelShuffle", "\"upscale_factor\": 9007199254740991"), "count_overflow", "/layers/0/upscale_factor", NULL,
     NULL, NULL, 1, ""},
    {"a total that cannot be counted", "[1, 67108864]",
     TYPE("Linear", "\"name\": \"a\", \"out_features\": 67108864, \"bias\": false") "," TYPE(
         "Linear", "\"name\": \"b\", \"out_features\": 67108864, \"bias\": false"),
     "count_overflow", "/layers/1", NULL, NULL, NULL, 3, ""},
    {"same with a stride", IMAGE, CONV("\"kernel_size\": 3, \"stride\": [1, 2], \"padding\": \"same\""),
     "same_needs_unit_stride", "/layers/0/padding", "W", "padding: \"same_upper\"", NULL, 1, ""},
    {"a pool's padding over half its window", IMAGE, TYPE("MaxPool2d", "\"kernel_size\": [2, 4], \"padding\": 2"),
     "pool_padding_too_large", "/layers/0/padding", "H", "padding: [[1,1],[2,2]]", NULL, 1, ""},
    {"a pool's padding over half its window at the end", "[1, 4, 8]",
     TYPE("AvgPool1d", "\"kernel_size\": 3, \"padding\": [[0, 2]]"), "pool_padding_too_large", "/layers/0/padding", "L",
     "padding: [[0,1]]", NULL, 1, ""},
    {"full padding of a pool", "[1, 4, 9]", TYPE("MaxPool1d", "\"kernel_size\": 3, \"padding\": \"full\""),
     "pool_padding_too_large", "/layers/0/padding", "L", "padding: \"half\"", NULL, 1, ""},
    {"output_padding over the stride", IMAGE, UP("\"kernel_size\": 3, \"stride\": [2, 3], \"output_padding\": 2"),
     "output_padding_too_large", "/layers/0/output_padding", "H", "output_padding: [1,2]", NULL, 1, ""},
    {"output_size too large", IMAGE, UP("\"kernel_size\": 3, \"stride\": 2, \"output_size\": [17, 19]"),
     "output_size_out_of_range", "/layers/0/output_size", "W", NULL, "output_size 19 is not within 17 … 18", 1, ""},
    {"output_size too small", IMAGE, UP("\"kernel_size\": 3, \"stride\": 2, \"output_size\": [16, 18]"),
     "output_size_out_of_range", "/layers/0/output_size", "H", NULL, "output_size 16 is not within 17 … 18", 1, ""},
    {"output_size of an unpooling", "[1, 4, 8]", TYPE("MaxUnpool1d", "\"kernel_size\": 2, \"output_size\": 18"),
     "output_size_out_of_range", "/layers/0/output_size", "L", NULL, "output_size 18 is not within 15 … 17", 1, ""},
    {"no output_size is possible", "[1, 4, 2]",
     TYPE("ConvTranspose1d", "\"out_channels\": 1, \"kernel_size\": 1, \"padding\": 1, \"output_size\": 1"),
     "empty_output", "/layers/0/padding", "L", NULL, NULL, 1, ""},
    {"cells at the end", "[1, 4, 9, 8]", TYPE("MaxPool2d", "\"kernel_size\": 2"), "input_not_covered", "/layers/0", "H",
     NULL, NULL, 1, ""},
    {"padding at the end, where all has to be covered", IMAGE,
     CONV("\"kernel_size\": [3, 1], \"stride\": [2, 1], \"padding\": [1, 0]"), "input_not_covered", "/layers/0", "H",
     NULL, NULL, 1, "\"covered\": true, "},
    {"the wrong rank", "[1, 4, 8]", CONV("\"kernel_size\": 3"), "wrong_rank", "/layers/0", NULL, NULL,
     "Conv2d takes a tensor of 4 dimensions; its input [1, 4, 8] has 3", 1, ""},
    {"the wrong rank of a pool", IMAGE, TYPE("MaxPool3d", "\"kernel_size\": 2"), "wrong_rank", "/layers/0", NULL, NULL,
     NULL, 1, ""},
    {"the wrong rank of an unpool", IMAGE, TYPE("MaxUnpool3d", "\"kernel_size\": 2"), "wrong_rank", "/layers/0", NULL,
     NULL, NULL, 1, ""},
    {"the wrong rank of an adaptive pool", IMAGE, TYPE("AdaptiveAvgPool1d", "\"output_size\": 2"), "wrong_rank",
     "/layers/0", NULL, NULL, NULL, 1, ""},
    {"the wrong rank of a padding", IMAGE, TYPE("ZeroPad1d", "\"padding\": 2"), "wrong_rank", "/layers/0", NULL, NULL,
     NULL, 1, ""},
    {"the wrong rank of Dropout1d", IMAGE, "{\"type\": \"Dropout1d\"}", "wrong_rank_range", "/layers/0", NULL, NULL,
     "Dropout1d takes a tensor of 2 to 3 dimensions; its input [1, 4, 8, 8] has 4", 1, ""},
    {"no channels for Dropout2d to drop", "[4]", "{\"type\": \"Dropout2d\"}", "wrong_rank_range", "/layers/0", NULL,
     NULL, NULL, 1, ""},
    {"the wrong rank of a crop", IMAGE, TYPE("CenterCrop3d", "\"output_size\": 2"), "wrong_rank", "/layers/0", NULL,
     NULL, NULL, 1, ""},
    {"the wrong rank of a transposed layer", "[1, 4]", UP("\"kernel_size\": 2"), "wrong_rank", "/layers/0", NULL, NULL,
     NULL, 1, ""},
    {"the wrong rank of an instance norm", IMAGE, "{\"type\": \"InstanceNorm1d\"}", "wrong_rank", "/layers/0", NULL,
     NULL, NULL, 1, ""},
    {"a rank out of range", IMAGE, "{\"type\": \"BatchNorm1d\"}", "wrong_rank_range", "/layers/0", NULL, NULL,
     "BatchNorm1d takes a tensor of 2 to 3 dimensions", 1, ""},
    {"a rank too small to shuffle", "[4, 8]", TYPE("PixelShuffle", "\"upscale_factor\": 2"), "wrong_rank_range",
     "/layers/0", NULL, NULL, NULL, 1, ""},
    {"a rank too small to upsample", "[4, 8]", TYPE("Upsample", "\"scale_factor\": 2"), "wrong_rank_range", "/layers/0",
     NULL, NULL, NULL, 1, ""},
    {"a rank too small for channels", "[4]", "{\"type\": \"Scale\"}", "wrong_rank_range", "/layers/0", NULL, NULL, NULL,
     1, ""},
    {"in_channels", IMAGE, CONV("\"kernel_size\": 3, \"in_channels\": 3"), "size_mismatch", "/layers/0/in_channels",
     NULL, "in_channels: 4", "in_channels is 3, but the input [1, 4, 8, 8] has 4", 1, ""},
    {"in_channels of a transposed layer", IMAGE, UP("\"kernel_size\": 3, \"in_channels\": 3"), "size_mismatch",
     "/layers/0/in_channels", NULL, "in_channels: 4", NULL, 1, ""},
    {"in_features", IMAGE, TYPE("Linear", "\"out_features\": 2, \"in_features\": 256"), "size_mismatch",
     "/layers/0/in_features", NULL, "in_features: 8", NULL, 1, ""},
    {"num_features of a batch norm", IMAGE, TYPE("BatchNorm2d", "\"num_features\": 3"), "size_mismatch",
     "/layers/0/num_features", NULL, "num_features: 4", NULL, 1, ""},
    {"num_features of a scale", IMAGE, TYPE("Scale", "\"num_features\": 3"), "size_mismatch", "/layers/0/num_features",
     NULL, "num_features: 4", NULL, 1, ""},
    {"num_channels", IMAGE, TYPE("GroupNorm", "\"num_groups\": 2, \"num_channels\": 6"), "size_mismatch",
     "/layers/0/num_channels", NULL, "num_channels: 4", NULL, 1, ""},
    {"num_channels, and groups that do not divide the input's", IMAGE,
     TYPE("GroupNorm", "\"num_groups\": 3, \"num_channels\": 1"), "size_mismatch", "/layers/0/num_channels", NULL,
     "num_channels: 4", NULL, LEAVES(1, 2), ""},
    {"groups that do not divide the input's, and num_channels", IMAGE,
     TYPE("GroupNorm", "\"num_groups\": 3, \"num_channels\": 1"), "not_divisible", "/layers/0/num_groups", NULL, NULL,
     "channels 4 is not divisible by num_groups 3", 2, ""},
    {"groups that do not divide the input's channels, and in_channels", IMAGE,
     TYPE("Conv2d", "\"out_channels\": 6, \"kernel_size\": 1, \"groups\": 3, \"in_channels\": 3"), "not_divisible",
     "/layers/0/groups", NULL, NULL, "input channels 4 is not divisible by groups 3", 2, ""},
    {"one value, and num_features", "[1, 4, 1, 1]", TYPE("InstanceNorm2d", "\"num_features\": 3"),
     "one_value_to_normalise", "/layers/0", NULL, NULL, NULL, 2, ""},
    {"output_padding of nothing", "[1, 4, 7]",
     TYPE("ConvTranspose1d", "\"out_channels\": 4, \"kernel_size\": 1, \"padding\": 5, \"output_padding\": 2"),
     "output_padding_too_large", "/layers/0/output_padding", "L", "output_padding: [0]", NULL, LEAVES(1, 2), ""},
    {"nothing, output_padding aside", "[1, 4, 7]",
     TYPE("ConvTranspose1d", "\"out_channels\": 4, \"kernel_size\": 1, \"padding\": 5, \"output_padding\": 2"),
     "empty_output", "/layers/0/padding", "L", NULL, NULL, 2, ""},
    {"output_padding without which nothing is left", "[1, 4, 7]",
     TYPE("ConvTranspose1d", "\"out_channels\": 4, \"kernel_size\": 1, \"padding\": 4, \"output_padding\": 2"),
     "output_padding_too_large", "/layers/0/output_padding", "L", NULL, NULL, 1, ""},
    {"a pool's padding, and a kernel that does not fit", "[1, 4, 1]",
     TYPE("MaxPool1d", "\"kernel_size\": 9, \"padding\": [[5, 0]]"), "kernel_exceeds_input", "/layers/0/kernel_size",
     "L", "padding: [4]", NULL, 2, ""},
    {"in_channels, and an expectation that fails then", "[1, 4, 7]",
     TYPE("Conv1d", "\"out_channels\": 4, \"kernel_size\": 1, \"in_channels\": 3, \"expect\": [1, 4, 6]"),
     "size_mismatch", "/layers/0/in_channels", NULL, NULL, NULL, 1, ""},
    {"num_parameters", IMAGE, TYPE("PReLU", "\"num_parameters\": 3"), "size_mismatch", "/layers/0/num_parameters", NULL,
     "num_parameters: 4", NULL, 1, ""},
    {"groups and input channels", IMAGE, TYPE("Conv2d", "\"out_channels\": 6, \"kernel_size\": 1, \"groups\": 3"),
     "not_divisible", "/layers/0/groups", NULL, NULL, "input channels 4 is not divisible by groups 3", 1, ""},
    {"groups and output channels", IMAGE,
     TYPE("ConvTranspose2d", "\"out_channels\": 5, \"kernel_size\": 1, \"groups\": 2"), "not_divisible",
     "/layers/0/groups", NULL, NULL, "out_channels 5 is not divisible by groups 2", 1, ""},
    {"groups and all channels", IMAGE, TYPE("Conv2d", "\"out_channels\": 5, \"kernel_size\": 1, \"groups\": 3"),
     "not_divisible", "/layers/0/groups", NULL, NULL, NULL, 2, ""},
    {"num_groups", IMAGE, TYPE("GroupNorm", "\"num_groups\": 3"), "not_divisible", "/layers/0/num_groups", NULL, NULL,
     NULL, 1, ""},
    {"groups to shuffle", IMAGE, TYPE("ChannelShuffle", "\"groups\": 3"), "not_divisible", "/layers/0/groups", NULL,
     NULL, NULL, 1, ""},
    {"upscale_factor", "[1, 10, 8, 8]", TYPE("PixelShuffle", "\"upscale_factor\": 2"), "not_divisible",
     "/layers/0/upscale_factor", NULL, NULL, "channels 10 is not divisible by upscale_factor² 4", 1, ""},
    {"downscale_factor", "[1, 4, 9, 7]", TYPE("PixelUnshuffle", "\"downscale_factor\": 2"), "not_divisible",
     "/layers/0/downscale_factor", NULL, NULL, "height 9", 2, ""},
    {"start_dim", IMAGE, TYPE("Flatten", "\"start_dim\": 4"), "dim_out_of_range", "/layers/0/start_dim", NULL, NULL,
     "dimension 4 is not within -4 … 3 of the input [1, 4, 8, 8]", 1, ""},
    {"end_dim", IMAGE, TYPE("Flatten", "\"end_dim\": -5"), "dim_out_of_range", "/layers/0/end_dim", NULL, NULL, NULL, 1,
     ""},
    {"dim to unflatten", IMAGE, TYPE("Unflatten", "\"dim\": 4, \"unflattened_size\": [2, 2]"), "dim_out_of_range",
     "/layers/0/dim", NULL, NULL, NULL, 1, ""},
    {"dim to slice", IMAGE, TYPE("Slice", "\"dim\": -5"), "dim_out_of_range", "/layers/0/dim", NULL, NULL, NULL, 1, ""},
    {"dim to average", IMAGE, TYPE("Mean", "\"dim\": [2, 4]"), "dim_out_of_range", "/layers/0/dim", NULL, NULL, NULL, 1,
     ""},
    {"dim to join", IMAGE, TYPE("Concat", "\"from\": \"input\", \"dim\": 5"), "dim_out_of_range", "/layers/0/dim", NULL,
     NULL, NULL, 1, ""},
    {"dim of a softmax", IMAGE, TYPE("LogSoftmax", "\"dim\": 7"), "dim_out_of_range", "/layers/0/dim", NULL, NULL, NULL,
     1, ""},
    {"start_dim after end_dim", IMAGE, TYPE("Flatten", "\"start_dim\": 2, \"end_dim\": -3"), "dims_out_of_order",
     "/layers/0/end_dim", NULL, NULL, "start_dim is dimension 2, end_dim is 1", 1, ""},
    {"a dimension twice", IMAGE, TYPE("Mean", "\"dim\": [2, -2]"), "dim_twice", "/layers/0/dim", NULL, NULL, NULL, 1,
     ""},
    {"no permutation: one is missing", IMAGE, TYPE("Permute", "\"dims\": [0, 2, 3]"), "not_a_permutation",
     "/layers/0/dims", NULL, NULL, NULL, 1, ""},
    {"no permutation: one is there twice", IMAGE, TYPE("Permute", "\"dims\": [0, 2, 3, -1]"), "not_a_permutation",
     "/layers/0/dims", NULL, NULL, NULL, 1, ""},
    {"no permutation: one is out of range", IMAGE, TYPE("Permute", "\"dims\": [0, 2, 3, 4]"), "not_a_permutation",
     "/layers/0/dims", NULL, NULL, NULL, 1, ""},
    {"a reshape to fewer elements", IMAGE, TYPE("Reshape", "\"shape\": [1, 255]"), "elements_differ", "/layers/0/shape",
     NULL, NULL, NULL, 1, ""},
    {"a reshape with a rest", IMAGE, TYPE("Reshape", "\"shape\": [3, -1]"), "elements_differ", "/layers/0/shape", NULL,
     NULL, NULL, 1, ""},
    {"a reshape to more than can be counted", IMAGE, TYPE("Reshape", "\"shape\": [9007199254740991, 9007199254740991]"),
     "elements_differ", "/layers/0/shape", NULL, NULL, NULL, 1, ""},
    {"an unflattening to more elements", IMAGE, TYPE("Unflatten", "\"dim\": 1, \"unflattened_size\": [2, 3]"),
     "elements_differ", "/layers/0/unflattened_size", NULL, NULL, NULL, 1, ""},
    {"too many dimensions", IMAGE, TYPE("Unflatten", "\"dim\": 1, \"unflattened_size\": [1, 1, 1, 2, 2, 1]"),
     "rank_too_large", "/layers/0/unflattened_size", NULL, NULL, NULL, 1, ""},
    {"an empty slice", IMAGE, TYPE("Slice", "\"dim\": 2, \"start\": 5, \"end\": -3"), "empty_slice", "/layers/0/end",
     NULL, NULL, "start 5 is not before end 5 in a dimension of 8", 1, ""},
    {"a slice past the end", IMAGE, TYPE("Slice", "\"dim\": 2, \"start\": 8"), "empty_slice", "/layers/0/start", NULL,
     NULL, NULL, 1, ""},
    {"shapes that do not broadcast", "{\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8, 7]}",
     TYPE("Add", "\"from\": [\"a\", \"b\"]"), "shapes_do_not_broadcast", "/layers/0/from", NULL, NULL,
     "[1, 4, 8, 8] and [1, 4, 8, 7], the input at `from` position 1, differ in dimension 3", 1, ""},
    {"ranks that do not broadcast", "{\"a\": [1, 4, 8, 8], \"b\": [3, 8]}", TYPE("Mul", "\"from\": [\"a\", \"b\"]"),
     "shapes_do_not_broadcast", "/layers/0/from", NULL, NULL, NULL, 1, ""},
    {"the third does not broadcast", "{\"a\": [1, 1, 8, 8], \"b\": [4, 8, 1], \"c\": [3, 1, 1]}",
     TYPE("Sub", "\"from\": [\"a\", \"b\", \"c\"]"), "shapes_do_not_broadcast", "/layers/0/from", NULL, NULL,
     "[1, 4, 8, 8] and [3, 1, 1]", 1, ""},
    {"sizes to be joined", "{\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8, 7]}", TYPE("Concat", "\"from\": [\"a\", \"b\"]"),
     "concat_sizes_differ", "/layers/0/from", "W", NULL, NULL, 1, ""},
    {"ranks to be joined", "{\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8]}", TYPE("Concat", "\"from\": [\"a\", \"b\"]"),
     "concat_sizes_differ", "/layers/0/from", NULL, NULL, NULL, 1, ""},
    {"channels to be joined along the height", "{\"a\": [1, 4, 8, 8], \"b\": [1, 3, 8, 8]}",
     TYPE("Concat", "\"from\": [\"a\", \"b\", \"b\"], \"dim\": -2"), "concat_sizes_differ", "/layers/0/from", NULL,
     NULL, NULL, 2, ""},
    {"a reflection too wide", IMAGE, TYPE("ReflectionPad2d", "\"padding\": [7, 8, 0, 0]"), "border_too_wide",
     "/layers/0/padding", "W", NULL, "ReflectionPad2d would need 8 cells from an axis of 8; at most 7", 1, ""},
    {"a wrap too wide", IMAGE, TYPE("CircularPad2d", "\"padding\": [[9, 0], [8, 8]]"), "border_too_wide",
     "/layers/0/padding", "H", NULL, NULL, 1, ""},
    {"a border that crops all", IMAGE, TYPE("ZeroPad2d", "\"padding\": -4"), "crop_leaves_nothing", "/layers/0/padding",
     "H", NULL, NULL, 2, ""},
    {"a border that crops more than there is", IMAGE,
     TYPE("ConstantPad2d", "\"padding\": [[-9, 3], [0, 0]], \"value\": 1.5"), "crop_leaves_nothing",
     "/layers/0/padding", "H", NULL, NULL, 1, ""},
    {"a crop larger than its input", IMAGE, TYPE("CenterCrop2d", "\"output_size\": [8, 9]"), "crop_exceeds_input",
     "/layers/0/output_size", "W", NULL, "cannot crop 8 to 9", 1, ""},
    {"a crop like a larger layer", "{\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8, 9]}",
     TYPE("CenterCrop2d", "\"from\": \"a\", \"like\": \"b\""), "crop_exceeds_input", "/layers/0/like", "W", NULL, NULL,
     1, ""},
    {"a crop like a layer of another rank", "{\"a\": [1, 4, 8, 8], \"b\": [1, 4, 8]}",
     TYPE("CenterCrop2d", "\"from\": \"a\", \"like\": \"b\""), "like_rank_differs", "/layers/0/like", NULL, NULL, NULL,
     1, ""},
    {"a mode for another rank", IMAGE, TYPE("Upsample", "\"scale_factor\": 2, \"mode\": \"trilinear\""),
     "mode_needs_rank", "/layers/0/mode", NULL, NULL, "mode \\\"trilinear\\\" takes 5 dimensions, the input has 4", 1,
     ""},
    {"factors for another rank", IMAGE, TYPE("Upsample", "\"scale_factor\": [2, 2, 2]"), "wrong_axis_count",
     "/layers/0/scale_factor", NULL, NULL, NULL, 1, ""},
    {"a list of one factor for two axes", IMAGE, TYPE("Upsample", "\"scale_factor\": [2]"), "wrong_axis_count",
     "/layers/0/scale_factor", NULL, NULL, "a list of length 1, where the number of spatial axes is 2", 1, ""},
    {"a list of one size for two axes", IMAGE, TYPE("Upsample", "\"size\": [3]"), "wrong_axis_count", "/layers/0/size",
     NULL, NULL, NULL, 1, ""},
    {"sizes for another rank", "[1, 4, 8]", TYPE("Upsample", "\"size\": [2, 2]"), "wrong_axis_count", "/layers/0/size",
     NULL, NULL, NULL, 1, ""},
    {"an upsampling to nothing", IMAGE, TYPE("Upsample", "\"scale_factor\": [0.125, 0.1]"), "scale_leaves_nothing",
     "/layers/0/scale_factor", "W", NULL, NULL, 1, ""},
    {"normalized_shape", IMAGE, TYPE("LayerNorm", "\"normalized_shape\": [4, 8]"), "normalized_shape_differs",
     "/layers/0/normalized_shape", NULL, NULL, NULL, 1, ""},
    {"normalized_shape of more dimensions", "[4, 8]", TYPE("LayerNorm", "\"normalized_shape\": [1, 4, 8]"),
     "normalized_shape_differs", "/layers/0/normalized_shape", NULL, NULL, NULL, 1, ""},
    {"an instance norm of one value", "[2, 4, 1, 1]", "{\"type\": \"InstanceNorm2d\"}", "one_value_to_normalise",
     "/layers/0", NULL, NULL, NULL, 1, ""},
    {"a group norm of one value", "[1, 4, 1, 1]", TYPE("GroupNorm", "\"num_groups\": 4"), "one_value_to_normalise",
     "/layers/0", NULL, NULL, NULL, 1, ""},
    {"an expectation", IMAGE, TYPE("ReLU", "\"expect\": [null, 4, 8, 9]"), "expectation_failed", "/layers/0/expect",
     NULL, NULL, "expected [null, 4, 8, 9], the output is [1, 4, 8, 8]", 1, ""},
    {"an expectation of another rank", IMAGE, TYPE("ReLU", "\"expect\": [1, 4, 8]"), "expectation_failed",
     "/layers/0/expect", NULL, NULL, NULL, 1, ""},
    {"an opaque layer", IMAGE, "{\"type\": \"Opaque\", \"name\": \"x\"}, {\"type\": \"ReLU\"}", "unknown_shape",
     "/layers/0", NULL, NULL, "`x` is opaque", 1, ""},
    {"no receptive field: adaptive pool of one axis", IMAGE, TYPE("AdaptiveAvgPool2d", "\"output_size\": [null, 1]"),
     "receptive_field_unknown", "/layers/0", NULL, NULL, "the pool covers some of the spatial axes only", 1, ""},
    {"no receptive field: adaptive pool", IMAGE, TYPE("AdaptiveAvgPool2d", "\"output_size\": 2"),
     "receptive_field_unknown", "/layers/0", NULL, NULL, "the windows of adaptive pooling differ in size", 1, ""},
    {"no receptive field: branches of different strides", IMAGE,
     TYPE("MaxPool2d", "\"kernel_size\": 2") ", " TYPE("Upsample", "\"size\": 8, \"mode\": \"area\"") ", " TYPE(
         "Add", "\"from\": [\"upsample_1\", \"input\"]"),
     "receptive_field_unknown", "/layers/1", NULL, NULL, NULL, 1, ""},
    {"no receptive field: inputs of different ranks", "{\"a\": [1, 4, 8, 8], \"b\": [4, 8, 8]}",
     TYPE("Add", "\"from\": [\"a\", \"b\"]"), "receptive_field_unknown", "/layers/0", NULL, NULL,
     "the branches have different strides or are broadcast", 1, ""},
    {"no receptive field: an opaque layer", IMAGE, TYPE("Opaque", "\"output_shape\": [1, 4, 8, 8]"),
     "receptive_field_unknown", "/layers/0", NULL, NULL, "the layer is opaque", 2, ""},
    {"the cost of an opaque layer", IMAGE, TYPE("Opaque", "\"output_shape\": [1, 4, 8, 8]"), "unknown_cost",
     "/layers/0", NULL, NULL, "params and macs are not known", 2, ""},
};

static void write_request(FILE *file, const struct row *row)
{
    (void)fprintf(file, "{%s\"%s\": %s, \"layers\": [%s]}", row->more, *row->input == '{' ? "inputs" : "input",
                  row->input, row->layers);
}

/* The position of a finding that is as the row says, or −1. */
static int find_finding(struct cp_text body, const struct row *row)
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

static void split_fix(const char *fix, char *pointer, size_t size, const char **value)
{
    int member = (int)strcspn(fix, ":");
    *value = fix + member + 2;
    (void)snprintf(pointer, size, "/layers/0/%.*s", member, fix);
}

/* What is wrong with the finding, or NULL. */
static const char *compare_finding(struct cp_text body, const struct row *row)
{
    int at = find_finding(body, row);
    if (at < 0) return "no such finding";
    bool error = cp_statuses[code_of(row->code)].severity == CP_SEVERITY_ERROR || *row->more;
    if (cp_test_count(cp_test_at(body, "/findings")) != COUNT_OF(row)) return "another number of findings";
    if (!cp_test_is_string(cp_test_atf(body, "/findings/%d/severity", at), error ? "error" : "warning"))
        return "severity";
    if (!cp_test_is(cp_test_at(body, "/valid"), error ? "false" : "true")) return "valid";
    if (row->detail && !cp_test_holds(cp_test_atf(body, "/findings/%d/detail", at), row->detail)) return "detail";
    struct cp_text fix = cp_test_atf(body, "/findings/%d/fix", at);
    if (!row->fix) return fix.size ? "an unexpected fix" : NULL;
    if (fix.size == 0) return "no fix";
    const char *value;
    char pointer[64];
    split_fix(row->fix, pointer, sizeof pointer, &value);
    if (!cp_test_is_string(cp_test_at(fix, "/pointer"), pointer)) return "the fix's pointer";
    return cp_test_is(cp_test_at(fix, "/value"), value) ? NULL : "the fix's value";
}

/* With the fix in the request, there is nothing left to find but what was beside. */
static bool check_fix(struct cp_text request, const struct row *row)
{
    struct cp_test_text fixed;
    struct cp_test_exchange exchange;
    const char *value;
    char pointer[64];
    split_fix(row->fix, pointer, sizeof pointer, &value);
    cp_test_patch(cp_test_begin(&fixed), request, pointer, cp_text_of(value));
    cp_test_post(&exchange, cp_test_finish(&fixed));
    struct cp_text body = exchange.reply.body;
    bool right = LEFT_OF(row) ? cp_test_count(cp_test_at(body, "/findings")) == LEFT_OF(row)
                              : cp_test_is(cp_test_at(body, "/valid"), "true");
    if (!right)
        print_error("%s: the fix does not mend it\n  %s\n  %.*s\n", row->name, fixed.bytes, (int)body.size, body.bytes);
    cp_test_close(&exchange);
    cp_test_free(&fixed);
    return right;
}

static bool check_finding(const struct row *row)
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
    for (size_t at = 0; at < sizeof rows / sizeof rows[0]; at++) wrong += !check_finding(&rows[at]);
    if (wrong) fail_msg("%d rows failed", wrong);
}

#define LAYER(layer) "{\"input\": [1, 4, 8, 8], \"layers\": [" layer "]}"

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

static void test_formulas_are_in_the_layout_of_the_request(void **state)
{
    (void)state;
    static const char request[] = "{\"input\": [1, 8, 6, 4], \"layout\": \"channels_last\", \"explain\": true, "
                                  "\"layers\": [{\"type\": \"ReLU\"}, {\"type\": \"ZeroPad2d\", \"padding\": 1}]}";
    struct cp_test_exchange exchange;
    cp_test_post(&exchange, CP_TEXT(request));
    assert_true(cp_test_is_string(cp_test_at(exchange.reply.body, "/layers/0/formula/0"), "same shape: [1, 8, 6, 4]"));
    assert_true(
        cp_test_is_string(cp_test_at(exchange.reply.body, "/layers/1/formula/0"), "o = i + p_b + p_e: [1, 10, 8, 4]"));
    cp_test_close(&exchange);
}

/* ---- Coverage ----------------------------------------------------------------------------------------------------- */

/* Runs last. The findings of other endpoints follow those of the planner. */
static void test_every_finding_is_hit(void **state)
{
    (void)state;
    int missed = 0;
    for (int code = 0; code <= CP_CODE_receptive_field_unknown; code++) {
        if (seen[code]) continue;
        print_error("no row brings about %s\n", cp_statuses[code].code);
        missed++;
    }
    assert_int_equal(missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_independent_branches_are_planned),
        cmocka_unit_test(test_example_of_the_contract),
        cmocka_unit_test(test_formulas_are_in_the_layout_of_the_request),
        cmocka_unit_test(test_every_finding_is_hit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
