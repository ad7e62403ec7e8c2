#include "core/reference/layer_operation.h"

#include <string.h>

#include "core/layers/kinds.h"
#include "core/layers/parameters.h"

static const struct {
    const struct cp_layer_kind *layer;
    enum cp_operation_kind operation;
} kinds[] = {
    {&cp_conv_kind, CP_CONVOLUTION},
    {&cp_conv_transpose_kind, CP_TRANSPOSED_CONVOLUTION},
    {&cp_max_pool_kind, CP_MAX_POOL},
    {&cp_avg_pool_kind, CP_AVERAGE_POOL},
    {&cp_lp_pool_kind, CP_LP_POOL},
    {&cp_adaptive_avg_pool_kind, CP_ADAPTIVE_AVERAGE_POOL},
    {&cp_adaptive_max_pool_kind, CP_ADAPTIVE_MAX_POOL},
};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static int find_kind(const struct cp_layer_type *type)
{
    int at = 0;
    while (at < KIND_COUNT && kinds[at].layer != type->kind) at++;
    return at;
}

bool cp_layer_is_computed(const struct cp_layer_type *type)
{
    return find_kind(type) < KIND_COUNT;
}

static void take_convolution(struct cp_operation *operation, const struct cp_convolution *conv)
{
    operation->groups = conv->groups;
    operation->out_channels = conv->out_channels;
}

static void take_pool(struct cp_operation *operation, const struct cp_pool *pool)
{
    operation->count_include_pad = pool->count_include_pad;
    operation->norm_type = pool->norm_type;
}

struct cp_operation cp_operation_of(const struct cp_layer *layer, const struct cp_layer_plan *plan)
{
    struct cp_operation operation = {.kind = kinds[find_kind(layer->type)].operation, .axes = layer->type->axes};
    const struct cp_adaptive_pool *adaptive = layer->params;
    switch (operation.kind) {
    case CP_CONVOLUTION:
    case CP_TRANSPOSED_CONVOLUTION: take_convolution(&operation, layer->params); break;
    case CP_ADAPTIVE_AVERAGE_POOL:
    case CP_ADAPTIVE_MAX_POOL:
        memcpy(operation.adaptive_output, adaptive->output_size, sizeof operation.adaptive_output);
        return operation;
    default: take_pool(&operation, layer->params); break;
    }
    for (int axis = 0; axis < operation.axes; axis++) {
        operation.window[axis] = plan->trace[axis].window;
        operation.output_padding[axis] = plan->trace[axis].output_padding;
    }
    return operation;
}
