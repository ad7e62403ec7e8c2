/* What the families of layers share, and the kinds that they define for the table. */
#ifndef CP_KINDS_H
#define CP_KINDS_H

#include "core/checked.h"
#include "core/layers/parameters.h"
#include "core/plan.h"

#define CP_COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define CP_MEMBERS(array) .members = (array), .member_count = CP_COUNT_OF(array)
#define CP_PARAMETERS(type, ...)                                                                                       \
    .parameter_size = sizeof(type), .defaults = &(const type)                                                          \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define CP_ALL_AXES(value)                                                                                             \
    {                                                                                                                  \
        (value), (value), (value)                                                                                      \
    }

extern const struct cp_layer_kind cp_conv_kind, cp_conv_transpose_kind;
extern const struct cp_layer_kind cp_max_pool_kind, cp_avg_pool_kind, cp_lp_pool_kind, cp_max_unpool_kind;
extern const struct cp_layer_kind cp_adaptive_avg_pool_kind, cp_adaptive_max_pool_kind;
extern const struct cp_layer_kind cp_zero_pad_kind, cp_constant_pad_kind, cp_reflection_pad_kind,
    cp_replication_pad_kind, cp_circular_pad_kind;
extern const struct cp_layer_kind cp_center_crop_kind, cp_upsample_kind, cp_pixel_shuffle_kind, cp_pixel_unshuffle_kind;
extern const struct cp_layer_kind cp_linear_kind;
extern const struct cp_layer_kind cp_flatten_kind, cp_unflatten_kind, cp_reshape_kind, cp_permute_kind, cp_slice_kind,
    cp_mean_kind, cp_channel_shuffle_kind;
extern const struct cp_layer_kind cp_add_kind, cp_sub_kind, cp_mul_kind, cp_concat_kind;
extern const struct cp_layer_kind cp_batch_norm_kind, cp_instance_norm_kind, cp_group_norm_kind, cp_layer_norm_kind,
    cp_local_response_norm_kind, cp_scale_kind;
extern const struct cp_layer_kind cp_opaque_kind;
extern const struct cp_layer_kind cp_relu_kind, cp_relu6_kind, cp_leaky_relu_kind, cp_prelu_kind, cp_elu_kind,
    cp_selu_kind, cp_gelu_kind, cp_silu_kind, cp_mish_kind, cp_sigmoid_kind, cp_tanh_kind, cp_softplus_kind,
    cp_softmax_kind, cp_log_softmax_kind, cp_hardtanh_kind, cp_hardsigmoid_kind, cp_hardswish_kind, cp_dropout_kind,
    cp_dropout_channels_kind, cp_alpha_dropout_kind, cp_identity_kind;

/* The layer under inference takes rank N + 2 (batch, channels, N axes); false after reporting wrong_rank. */
bool cp_expect_window_rank(struct cp_inference *inference);

/* The input's rank lies in [least, most]; false after reporting wrong_rank. */
bool cp_expect_rank(struct cp_inference *inference, int least, int most);

/* A size that is checked only when given (0: it is not); false after reporting size_mismatch with a fix. */
bool cp_expect_size(struct cp_inference *inference, const char *member, int64_t given, int64_t actual);

/* Divisibility of `value` (named by `what`) by `divisor` from `member`; false after reporting not_divisible. */
bool cp_expect_divides(struct cp_inference *inference, const char *member, int64_t divisor, const char *what,
                       int64_t value);

/* A dimension index, negative from the end, as 0 … rank − 1; false after reporting dim_out_of_range. `rank` may be one
 * more than the tensor's. */
bool cp_resolve_dim(struct cp_inference *inference, const char *member, int64_t dim, int rank, int *resolved);

/* The output is the (first) input's shape. */
bool cp_infer_same(struct cp_inference *inference);

/* Report what a window formula said on one axis: false unless it was CP_WINDOW_OK. */
bool cp_report_window(struct cp_inference *inference, enum cp_window_status status, int axis,
                      const struct cp_axis_trace *trace);

/* The window of one axis with its padding resolved to cells against the input's size. A word that does not suit the
 * stride is reported; false then, or on overflow. */
bool cp_resolve_padding(struct cp_inference *inference, const struct cp_padding *padding, int axis,
                        struct cp_axis_trace *trace, bool transposed);

/* Padding, at most `most` on a side, with which the window fits: the window's own, and more where that will not do. */
void cp_pad_to_fit(const struct cp_axis_trace *trace, int64_t most, int64_t *begin, int64_t *end);

/* Input that no window sees: with CP_ROUND_CEIL and SAME padding there is none by their own rules; else it is put in
 * the traces and reported, as a warning when cells of the input itself are lost, or, when the request asks for
 * `covered`, as an error whenever any padded unit is. Call once every axis has its output. */
void cp_check_coverage(struct cp_inference *inference, const struct cp_padding *padding);

/* Zeroed traces, one per axis of the layer, stored in the plan. */
struct cp_axis_trace *cp_new_trace(struct cp_inference *inference, enum cp_traced operation);

/* The field of a layer that moves along dimensions [first, end) of its input, whose field is given: that field, or, where
 * one of these is no axis of the network's input with numbers of its own, so that no number would be of this dimension,
 * without any numbers. */
const struct cp_field *cp_move_along(struct cp_inference *inference, const struct cp_field *field, int first, int end);

/* The same with each axis' window (or transposed window) applied. */
const struct cp_field *cp_move_windows(struct cp_inference *inference, const struct cp_field *field);
const struct cp_field *cp_move_transposed(struct cp_inference *inference, const struct cp_field *field);

/* ⌊input · factor⌋ with the product in binary64, as in PyTorch; may be 0. False when it is over CP_MAX_COUNT. */
CP_MUST_CHECK bool cp_resized(int64_t input, double factor, int64_t *output);

/* The number of spatial axes that a mode of Upsample works on; 0: any. */
int cp_axes_of_mode(int mode);

/* Is its `size`, or its `scale_factor`, a number for all axes or a list with one for each? */
bool cp_lists_all_axes(const struct cp_upsample *upsample, int axes);

/* ⌈(end − start)/step⌉ with both ends as in Python; false when nothing is left. */
CP_MUST_CHECK bool cp_sliced(const struct cp_slice *slice, int64_t size, int64_t *output);

/* The words of `padding` that a window layer accepts. */
extern const char *const cp_window_padding_words[];
extern const char *const cp_transposed_padding_words[];
extern const char *const cp_unpool_padding_words[];

#endif
