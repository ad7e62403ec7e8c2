/* THE table of layer kinds: every type that a user may write, in the order in which documentation lists them. */
#include "core/layers/kinds.h"

/* A name that is too long does not compile. */
#define SIZE_OF_NAME(literal) (sizeof(literal) - 1 + 0 * sizeof(char[sizeof(literal) <= CP_SMALL_NAME_ROOM ? 1 : -1]))

/* NOLINTBEGIN(bugprone-macro-parentheses): string literals are joined to the name */
#define TYPE(name_, kind_)                                                                                             \
    {                                                                                                                  \
        .name = (name_), .name_size = SIZE_OF_NAME(name_), .axes = 0, .kind = &(kind_)                                 \
    }
#define TYPE_ND(name_, axes_, kind_)                                                                                   \
    {                                                                                                                  \
        .name = name_ #axes_ "d", .name_size = SIZE_OF_NAME(name_ #axes_ "d"), .axes = (axes_), .kind = &(kind_)       \
    }
/* NOLINTEND(bugprone-macro-parentheses) */
#define TYPES_1D_2D(name_, kind_) TYPE_ND(name_, 1, kind_), TYPE_ND(name_, 2, kind_)
#define TYPES_1D_TO_3D(name_, kind_) TYPES_1D_2D(name_, kind_), TYPE_ND(name_, 3, kind_)

const struct cp_layer_type cp_layer_types[] = {
    TYPES_1D_TO_3D("Conv", cp_conv_kind),
    TYPES_1D_TO_3D("ConvTranspose", cp_conv_transpose_kind),
    TYPES_1D_TO_3D("MaxPool", cp_max_pool_kind),
    TYPES_1D_TO_3D("AvgPool", cp_avg_pool_kind),
    TYPES_1D_2D("LPPool", cp_lp_pool_kind),
    TYPES_1D_TO_3D("MaxUnpool", cp_max_unpool_kind),
    TYPES_1D_TO_3D("AdaptiveAvgPool", cp_adaptive_avg_pool_kind),
    TYPES_1D_TO_3D("AdaptiveMaxPool", cp_adaptive_max_pool_kind),
    TYPES_1D_TO_3D("ZeroPad", cp_zero_pad_kind),
    TYPES_1D_TO_3D("ConstantPad", cp_constant_pad_kind),
    TYPES_1D_TO_3D("ReflectionPad", cp_reflection_pad_kind),
    TYPES_1D_TO_3D("ReplicationPad", cp_replication_pad_kind),
    TYPES_1D_TO_3D("CircularPad", cp_circular_pad_kind),
    TYPES_1D_TO_3D("CenterCrop", cp_center_crop_kind),
    TYPE("Upsample", cp_upsample_kind),
    TYPE("PixelShuffle", cp_pixel_shuffle_kind),
    TYPE("PixelUnshuffle", cp_pixel_unshuffle_kind),
    TYPE("Linear", cp_linear_kind),
    TYPE("Flatten", cp_flatten_kind),
    TYPE("Unflatten", cp_unflatten_kind),
    TYPE("Reshape", cp_reshape_kind),
    TYPE("Permute", cp_permute_kind),
    TYPE("Slice", cp_slice_kind),
    TYPE("Mean", cp_mean_kind),
    TYPE("ChannelShuffle", cp_channel_shuffle_kind),
    TYPE("Add", cp_add_kind),
    TYPE("Sub", cp_sub_kind),
    TYPE("Mul", cp_mul_kind),
    TYPE("Concat", cp_concat_kind),
    TYPES_1D_TO_3D("BatchNorm", cp_batch_norm_kind),
    TYPES_1D_TO_3D("InstanceNorm", cp_instance_norm_kind),
    TYPE("GroupNorm", cp_group_norm_kind),
    TYPE("LayerNorm", cp_layer_norm_kind),
    TYPE("LocalResponseNorm", cp_local_response_norm_kind),
    TYPE("Scale", cp_scale_kind),
    TYPE("Opaque", cp_opaque_kind),
    TYPE("ReLU", cp_relu_kind),
    TYPE("ReLU6", cp_relu6_kind),
    TYPE("LeakyReLU", cp_leaky_relu_kind),
    TYPE("PReLU", cp_prelu_kind),
    TYPE("ELU", cp_elu_kind),
    TYPE("SELU", cp_selu_kind),
    TYPE("GELU", cp_gelu_kind),
    TYPE("SiLU", cp_silu_kind),
    TYPE("Mish", cp_mish_kind),
    TYPE("Sigmoid", cp_sigmoid_kind),
    TYPE("Tanh", cp_tanh_kind),
    TYPE("Softplus", cp_softplus_kind),
    TYPE("Softmax", cp_softmax_kind),
    TYPE("LogSoftmax", cp_log_softmax_kind),
    TYPE("Hardtanh", cp_hardtanh_kind),
    TYPE("Hardsigmoid", cp_hardsigmoid_kind),
    TYPE("Hardswish", cp_hardswish_kind),
    TYPE("Dropout", cp_dropout_kind),
    TYPES_1D_TO_3D("Dropout", cp_dropout_channels_kind),
    TYPE("AlphaDropout", cp_alpha_dropout_kind),
    TYPE("Identity", cp_identity_kind),
};

const int cp_layer_type_count = CP_COUNT_OF(cp_layer_types);

/* An index over the table, filled once before main: open addressing by a hash of the name. */
enum { INDEX_SIZE = 256 };
static uint8_t type_index[INDEX_SIZE]; /* row + 1, or 0 */

_Static_assert(CP_COUNT_OF(cp_layer_types) < INDEX_SIZE / 2, "the index wants to be at most half full");

/* The size and some bytes: at the end stands the number of axes, and each of them tells some families apart. */
static uint32_t hash_of(const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    if (size < 2) return 0;
    uint32_t hash = (uint32_t)size * 11 + at[0] * 37u + at[size / 2] * 5u + at[size - 2] * 13u + at[size - 1];
    return hash % INDEX_SIZE;
}

static char small_names[CP_COUNT_OF(cp_layer_types)][CP_SMALL_NAME_ROOM];

__attribute__((constructor)) static void fill_type_index(void)
{
    for (int row = 0; row < cp_layer_type_count; row++) {
        for (int at = 0; at < cp_layer_types[row].name_size; at++)
            small_names[row][at] = (char)(cp_layer_types[row].name[at] | ('a' - 'A')); /* of letters and digits */
        uint32_t slot = hash_of(cp_layer_types[row].name, cp_layer_types[row].name_size);
        while (type_index[slot]) slot = (slot + 1) % INDEX_SIZE;
        type_index[slot] = (uint8_t)(row + 1);
    }
}

const char *cp_layer_type_small_name(const struct cp_layer_type *type)
{
    return small_names[type - cp_layer_types];
}

const struct cp_layer_type *cp_layer_type_find(struct cp_text name)
{
    enum { LONGEST_NAME = 32 };
    if (name.size > LONGEST_NAME) return NULL;
    for (uint32_t slot = hash_of(name.bytes, name.size); type_index[slot]; slot = (slot + 1) % INDEX_SIZE) {
        const struct cp_layer_type *type = &cp_layer_types[type_index[slot] - 1];
        if (type->name_size == name.size && cp_same_bytes(type->name, name.bytes, name.size)) return type;
    }
    return NULL;
}
