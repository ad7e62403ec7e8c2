/* The shape of a tensor, channels first: [batch, channels, spatial axes …]. */
#ifndef CP_SHAPE_H
#define CP_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/attributes.h"
#include "core/limits.h"

/* Where a shape may leave a size open: `null` in an expectation. */
#define CP_ANY_SIZE (-1)

/* A count that is not known, so null in a reply; never 0. */
#define CP_UNKNOWN (-1)

struct cp_shape {
    int rank;                  /* 0 … CP_MAX_RANK */
    int64_t size[CP_MAX_RANK]; /* each 1 … CP_MAX_COUNT; zero past the rank */
};

bool cp_shape_equal(const struct cp_shape *a, const struct cp_shape *b);

/* The product of sizes [begin, end) of a shape; false when it is over CP_MAX_COUNT. */
CP_MUST_CHECK bool cp_shape_product(const struct cp_shape *shape, int begin, int end, int64_t *product);

/* The shape with axis 1 moved last (channels_last) and back; ranks below 3 are the same in both layouts. */
struct cp_shape cp_shape_to_channels_last(const struct cp_shape *shape);
struct cp_shape cp_shape_from_channels_last(const struct cp_shape *shape);

#endif
