/* A request of /v1/convolve: what is to be computed, checked until only the numbers themselves can still go wrong. */
#ifndef CP_CONVOLVE_READING_H
#define CP_CONVOLVE_READING_H

#include "core/plan.h"
#include "core/reference/reference.h"
#include "server/json/tensor.h"
#include "server/reading.h"

/* What `include` may name, as bits. */
enum cp_include {
    CP_INCLUDE_MATRIX = 1 << 0,
    CP_INCLUDE_STRETCHED_INPUT = 1 << 1,
    CP_INCLUDE_STRETCHED_PADDED_INPUT = 1 << 2,
    CP_INCLUDE_PADDED_INPUT = 1 << 3,
    CP_INCLUDE_FLIPPED_KERNEL = 1 << 4,
};

/* Their names by bit, NULL-terminated. */
extern const char *const cp_include_names[];

/* "forward", "backward_input", "backward_weight" by enum cp_direction, and the methods by enum cp_method. */
extern const char *const cp_direction_names[];
extern const char *const cp_method_names[];

/* Must not be moved once it is read: it points into itself. */
struct cp_convolve_question {
    struct cp_reference reference; /* its check has succeeded; without `stop` */
    struct cp_shape output;        /* of the layer, forward */
    struct cp_shape result;
    struct cp_stack stack; /* of the one layer */
    struct cp_plan plan;
    struct cp_input network_input;
    struct cp_tensor input, weight, bias, output_gradient;
    enum cp_tensor_encoding encoding;
    unsigned includes; /* enum cp_include */
    bool verify;
};

/* False after recording every error. */
bool cp_read_convolve(struct cp_reader *reader, struct cp_text body, struct cp_convolve_question *question);

#endif
