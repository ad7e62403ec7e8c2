/* The parameters of layers as the kinds keep them; filled by the decoder through the member tables. Per-axis arrays
 * have one entry per spatial axis of the type, first spatial axis first; the rest is unused. */
#ifndef CP_PARAMETERS_H
#define CP_PARAMETERS_H

#include "core/layer.h"

/* Conv{N}d and ConvTranspose{N}d. */
struct cp_convolution {
    int64_t in_channels;  /* 0: not given */
    int64_t out_channels; /* C_out */
    int64_t kernel_size[CP_MAX_AXES];
    int64_t stride[CP_MAX_AXES];
    int64_t dilation[CP_MAX_AXES];
    int64_t groups;
    struct cp_padding padding;
    bool bias;
    int64_t output_padding[CP_MAX_AXES]; /* transposed only */
    int64_t output_size[CP_MAX_AXES];    /* transposed only; 0: not given */
};

/* MaxPool{N}d, AvgPool{N}d, LPPool{N}d and MaxUnpool{N}d. */
struct cp_pool {
    int64_t kernel_size[CP_MAX_AXES];
    int64_t stride[CP_MAX_AXES]; /* 0: kernel_size */
    int64_t dilation[CP_MAX_AXES];
    struct cp_padding padding;
    bool ceil_mode;
    bool count_include_pad;
    double norm_type;
    int64_t output_size[CP_MAX_AXES]; /* unpooling only; 0: not given */
};

/* AdaptiveAvgPool{N}d, AdaptiveMaxPool{N}d. */
struct cp_adaptive_pool {
    int64_t output_size[CP_MAX_AXES]; /* 0: keep the axis */
};

/* ZeroPad{N}d, ConstantPad{N}d, ReflectionPad{N}d, ReplicationPad{N}d, CircularPad{N}d. */
struct cp_border {
    struct cp_padding padding; /* explicit; negative crops */
    double value;
};

struct cp_crop {
    int64_t output_size[CP_MAX_AXES]; /* 0: not given */
    struct cp_layer_reference like;
};

enum cp_upsample_mode {
    CP_UPSAMPLE_NEAREST,
    CP_UPSAMPLE_LINEAR,
    CP_UPSAMPLE_BILINEAR,
    CP_UPSAMPLE_BICUBIC,
    CP_UPSAMPLE_TRILINEAR,
    CP_UPSAMPLE_NEAREST_EXACT,
    CP_UPSAMPLE_AREA, /* adaptive average pooling */
};

struct cp_upsample {
    struct cp_sizes size;           /* count 0: not given */
    struct cp_factors scale_factor; /* count 0: not given */
    int mode;
    bool align_corners;
};

struct cp_pixel_shuffle {
    int64_t factor; /* upscale_factor or downscale_factor */
};

struct cp_linear {
    int64_t in_features; /* 0: not given */
    int64_t out_features;
    bool bias;
};

struct cp_flatten {
    int64_t start_dim, end_dim;
};

struct cp_unflatten {
    int64_t dim;
    struct cp_sizes unflattened_size;
};

struct cp_reshape {
    struct cp_sizes shape;
};

struct cp_permute {
    struct cp_sizes dims;
};

enum { CP_TO_THE_END = INT32_MAX }; /* what exporters write as the end of a slice that has none; so does more */

struct cp_slice {
    int64_t dim, start, end, step; /* `end` counts only where given */
};

struct cp_mean {
    struct cp_sizes dim;
    bool keepdim;
};

struct cp_channel_shuffle {
    int64_t groups;
};

struct cp_concat {
    int64_t dim;
};

/* BatchNorm{N}d, InstanceNorm{N}d, GroupNorm, LayerNorm, LocalResponseNorm, Scale. */
struct cp_norm {
    int64_t features;                 /* num_features or num_channels; 0: not given */
    int64_t groups;                   /* num_groups */
    struct cp_sizes normalized_shape; /* LayerNorm */
    bool affine;
    bool bias;
    bool track_running_stats;
    int64_t size; /* LocalResponseNorm: neighbouring channels */
    double eps, momentum, alpha, beta, k;
};

struct cp_opaque {
    struct cp_sizes output_shape; /* count 0: not declared */
};

/* Activations and dropouts: what changes no shape. */
struct cp_activation {
    bool inplace;
    int64_t num_parameters; /* PReLU */
    int64_t dim;            /* Softmax, LogSoftmax */
    double init, negative_slope, alpha, beta, threshold, min_val, max_val, p;
    int approximate;
};

#endif
