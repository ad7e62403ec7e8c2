/* What each kind of layer does to sizes that are not known yet: the `law` column of the table of kinds. A law writes the
 * sizes of its output, and all conditions on its input that `infer` has, into the axis program; false where no input of
 * this rank will do. Kinds that neither change nor check sizes have none. */
#ifndef CP_LAWS_H
#define CP_LAWS_H

#include "core/axis_program.h"
#include "core/layers/kinds.h"

bool cp_conv_law(struct cp_tracing *tracing);
bool cp_conv_transpose_law(struct cp_tracing *tracing);
bool cp_pool_law(struct cp_tracing *tracing);
bool cp_max_unpool_law(struct cp_tracing *tracing);
bool cp_adaptive_law(struct cp_tracing *tracing);
bool cp_filled_border_law(struct cp_tracing *tracing);
bool cp_reflection_border_law(struct cp_tracing *tracing);
bool cp_circular_border_law(struct cp_tracing *tracing);
bool cp_crop_law(struct cp_tracing *tracing);
bool cp_upsample_law(struct cp_tracing *tracing);
bool cp_pixel_shuffle_law(struct cp_tracing *tracing);
bool cp_pixel_unshuffle_law(struct cp_tracing *tracing);
bool cp_linear_law(struct cp_tracing *tracing);
bool cp_flatten_law(struct cp_tracing *tracing);
bool cp_unflatten_law(struct cp_tracing *tracing);
bool cp_reshape_law(struct cp_tracing *tracing);
bool cp_permute_law(struct cp_tracing *tracing);
bool cp_slice_law(struct cp_tracing *tracing);
bool cp_mean_law(struct cp_tracing *tracing);
bool cp_channel_shuffle_law(struct cp_tracing *tracing);
bool cp_elementwise_law(struct cp_tracing *tracing);
bool cp_concat_law(struct cp_tracing *tracing);
bool cp_batch_norm_law(struct cp_tracing *tracing);
bool cp_instance_norm_law(struct cp_tracing *tracing);
bool cp_group_norm_law(struct cp_tracing *tracing);
bool cp_layer_norm_law(struct cp_tracing *tracing);
bool cp_local_response_norm_law(struct cp_tracing *tracing);
bool cp_scale_law(struct cp_tracing *tracing);
bool cp_dropout_channels_law(struct cp_tracing *tracing);
bool cp_prelu_law(struct cp_tracing *tracing);
bool cp_softmax_law(struct cp_tracing *tracing);
bool cp_opaque_law(struct cp_tracing *tracing);

/* Why a scale of an Upsample has no law: `size` times it should be `exact`, but is rounded to less in binary64. */
struct cp_uneven_scale {
    double scale;
    int64_t size, exact; /* 0: the scale is no fraction with a denominator up to CP_MAX_SIZES_DENOMINATOR */
    double neighbour;    /* the nearest multiple of 1/64: these always have one */
};

/* False when the layer is no Upsample by such a scale. */
bool cp_find_uneven_scale(const struct cp_layer *layer, struct cp_uneven_scale *uneven);

/* ---- Shared by the laws ------------------------------------------------------------------------------------------- */

/* size · factor, and ⌊size/divisor⌋ of a size that is known to be divisible. */
uint32_t cp_law_scaled(struct cp_tracing *tracing, uint32_t size, int64_t factor);
uint32_t cp_law_divided(struct cp_tracing *tracing, uint32_t size, int64_t divisor);

/* A declared number (0: not given) is the size, which goes on as that. */
uint32_t cp_law_declared(struct cp_tracing *tracing, int64_t declared, uint32_t size);

/* The product of sizes [begin, end), 1 when there are none. */
uint32_t cp_law_elements(struct cp_tracing *tracing, const struct cp_dims *dims, int begin, int end);

/* The output is the first input's shape. */
bool cp_law_same(struct cp_tracing *tracing);

#endif
