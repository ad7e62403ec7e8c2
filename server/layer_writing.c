#include "server/layer_writing.h"

static bool all_equal(const int64_t *values, int count)
{
    for (int at = 1; at < count; at++)
        if (values[at] != values[0]) return false;
    return true;
}

/* 0 stands for null in lists that may leave an axis open. */
static void write_axis_value(struct cp_writer *writer, const struct cp_member *member, int64_t value)
{
    if (member->nullable && value == 0)
        cp_write_null(writer);
    else
        cp_write_integer(writer, value);
}

/* PyTorch calls a transposed layer with its output_size, which has to be a list there. */
static bool is_always_list(const struct cp_layer *layer, const struct cp_member *member)
{
    enum cp_stage_form form = layer->type->kind->stage;
    return (form == CP_STAGE_TRANSPOSED || form == CP_STAGE_UNPOOLING) && cp_text_is(member->name, "output_size");
}

/* One number where it is the same for all axes, unless a list is needed. */
static void write_axes(struct cp_writer *writer, const struct cp_member *member, const int64_t *values, int axes,
                       bool listed)
{
    if (!listed && all_equal(values, axes)) {
        write_axis_value(writer, member, values[0]);
        return;
    }
    cp_write_array_begin(writer);
    for (int axis = 0; axis < axes; axis++) write_axis_value(writer, member, values[axis]);
    cp_write_array_end(writer);
}

static void write_pairs(struct cp_writer *writer, const struct cp_padding *padding, int axes)
{
    cp_write_array_begin(writer);
    for (int axis = 0; axis < axes; axis++) {
        int64_t pair[] = {padding->begin[axis], padding->end[axis]};
        cp_write_integers(writer, pair, 2);
    }
    cp_write_array_end(writer);
}

static void write_padding(struct cp_writer *writer, const struct cp_member *member, const struct cp_padding *padding,
                          int axes)
{
    bool symmetric = true;
    for (int axis = 0; axis < axes; axis++) symmetric = symmetric && padding->begin[axis] == padding->end[axis];
    /* A flat list of borders would be read as PyTorch's, last axis first. */
    bool flat_misread = member->type == CP_MEMBER_BORDERS && !all_equal(padding->begin, axes);
    if (padding->mode != CP_PAD_EXPLICIT)
        cp_write_string(writer, member->words[padding->mode - CP_PAD_VALID]);
    else if (!symmetric || flat_misread)
        write_pairs(writer, padding, axes);
    else
        write_axes(writer, member, padding->begin, axes, false);
}

static void write_sizes(struct cp_writer *writer, const struct cp_sizes *sizes, bool channels_last)
{
    struct cp_shape shape = {.rank = sizes->count};
    if (sizes->scalar) {
        cp_write_integer(writer, sizes->at[0]);
        return;
    }
    memcpy(shape.size, sizes->at, sizeof shape.size);
    if (channels_last) shape = cp_shape_to_channels_last(&shape);
    cp_write_integers(writer, shape.size, shape.rank);
}

static void write_factors(struct cp_writer *writer, const struct cp_factors *factors)
{
    if (factors->scalar) {
        cp_write_double(writer, factors->at[0]);
        return;
    }
    cp_write_array_begin(writer);
    for (int at = 0; at < factors->count; at++) cp_write_double(writer, factors->at[at]);
    cp_write_array_end(writer);
}

static void write_value(struct cp_writer *writer, const struct cp_layer *layer, const struct cp_member *member,
                        bool channels_last)
{
    const void *value = (const char *)layer->params + member->offset;
    int axes = layer->type->axes;
    switch (member->type) {
    case CP_MEMBER_INTEGER: cp_write_integer(writer, *(const int64_t *)value); break;
    case CP_MEMBER_AXES: write_axes(writer, member, value, axes, is_always_list(layer, member)); break;
    case CP_MEMBER_BOOLEAN: cp_write_boolean(writer, *(const bool *)value); break;
    case CP_MEMBER_NUMBER: cp_write_double(writer, *(const double *)value); break;
    case CP_MEMBER_WORD: cp_write_string(writer, member->words[*(const int *)value]); break;
    case CP_MEMBER_PADDING:
    case CP_MEMBER_BORDERS: write_padding(writer, member, value, axes); break;
    case CP_MEMBER_SIZES: write_sizes(writer, value, false); break;
    case CP_MEMBER_SHAPE: write_sizes(writer, value, channels_last); break;
    case CP_MEMBER_FACTORS: write_factors(writer, value); break;
    case CP_MEMBER_LAYER: cp_write_text(writer, ((const struct cp_layer_reference *)value)->name); break;
    }
}

void cp_write_layer(struct cp_writer *writer, const struct cp_layer *layer, bool channels_last)
{
    const struct cp_layer_kind *kind = layer->type->kind;
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "type");
    cp_write_string(writer, layer->type->name);
    if (layer->name.size) {
        CP_WRITE_NAME(writer, "name");
        cp_write_text(writer, layer->name);
    }
    for (int member = 0; member < kind->member_count; member++) {
        if (!cp_given(layer, member)) continue;
        cp_write_name(writer, kind->members[member].name);
        write_value(writer, layer, &kind->members[member], channels_last);
    }
    cp_write_object_end(writer);
}
