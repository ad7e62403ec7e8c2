/* A tensor in memory: shape, element type and its elements in row-major order, without gaps. */
#ifndef CP_REFERENCE_TENSOR_H
#define CP_REFERENCE_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "core/shape.h"

enum cp_element {
    CP_FLOAT64,
    CP_FLOAT32, /* operands rounded to binary32 by their owner; computed in binary64; results rounded once */
    CP_INT64,   /* exact; a result that does not fit is an error */
};

struct cp_tensor {
    struct cp_shape shape;
    enum cp_element element;
    void *data; /* double, float or int64_t by `element`; NULL where only the shape is asked about */
};

static inline size_t cp_element_bytes(enum cp_element element)
{
    return element == CP_FLOAT32 ? sizeof(float) : sizeof(double);
}

/* Elements of a tensor whose product was checked before (cp_shape_product). */
static inline int64_t cp_tensor_count(const struct cp_tensor *tensor)
{
    int64_t count = 1;
    for (int axis = 0; axis < tensor->shape.rank; axis++) count *= tensor->shape.size[axis];
    return count;
}

#endif
