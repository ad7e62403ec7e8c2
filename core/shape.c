#include "core/shape.h"

#include <string.h>

#include "core/checked.h"

bool cp_shape_equal(const struct cp_shape *a, const struct cp_shape *b)
{
    return a->rank == b->rank && memcmp(a->size, b->size, (size_t)a->rank * sizeof a->size[0]) == 0;
}

bool cp_shape_product(const struct cp_shape *shape, int begin, int end, int64_t *product)
{
    int64_t total = 1;
    for (int axis = begin; axis < end; axis++)
        if (!cp_multiply(total, shape->size[axis], &total)) return false;
    *product = total;
    return true;
}

struct cp_shape cp_shape_to_channels_last(const struct cp_shape *shape)
{
    struct cp_shape last = *shape;
    if (shape->rank < 3) return last;
    for (int axis = 2; axis < shape->rank; axis++) last.size[axis - 1] = shape->size[axis];
    last.size[shape->rank - 1] = shape->size[1];
    return last;
}

struct cp_shape cp_shape_from_channels_last(const struct cp_shape *shape)
{
    struct cp_shape first = *shape;
    if (shape->rank < 3) return first;
    for (int axis = 2; axis < shape->rank; axis++) first.size[axis] = shape->size[axis - 1];
    first.size[1] = shape->size[shape->rank - 1];
    return first;
}
