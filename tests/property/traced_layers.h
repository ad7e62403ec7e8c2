/* Networks whose receptive fields are found by brute force: of each element of each tensor, the units of each spatial axis
 * of the input that it depends on, as bits, straight from the definitions of the layers. */
#ifndef CP_TEST_TRACED_LAYERS_H
#define CP_TEST_TRACED_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/property/random.h"

enum { CP_TRACED_AXES = 2, CP_TRACED_RANK = 5, CP_TRACED_ELEMENTS = 2048 };

struct cp_traced_tensor {
    int rank, size[CP_TRACED_RANK];
    int elements;
    int home[CP_TRACED_AXES]; /* the dimension that is this axis of the input and nothing else, or −1 */
    bool plain;               /* only windows along the axes, what works element by element, and permutations so far */
    bool exact;               /* seeing all by nature shows in `share`, and is to be told wherever it is so */
    /* The units that an element depends on; and, by the nature of the layers, those that it stands for: a layer of
     * windows splits its input evenly among its outputs, so that, however large a window is, not one of several outputs
     * sees all by its size alone. */
    uint32_t units[CP_TRACED_AXES][CP_TRACED_ELEMENTS], share[CP_TRACED_AXES][CP_TRACED_ELEMENTS];
};

/* What output j of a dimension sees of it: j itself, all, its group of `groups`, a window, or an even share. */
enum cp_traced_sight { CP_SEES_ITSELF, CP_SEES_ALL, CP_SEES_GROUP, CP_SEES_WINDOW, CP_SEES_NEAREST, CP_SEES_SHARE };

struct cp_traced_layer {
    char text[256]; /* type and parameters in JSON */
    struct cp_traced_tensor output;
    struct {
        enum cp_traced_sight sight;
        int kernel, stride, groups;
    } dim[CP_TRACED_RANK];
    int axes; /* of a layer that moves along its spatial axes, unless it sees all of each; else 0 */
    bool merges;
};

/* An image [1, C, H, W]. */
void cp_draw_traced_input(struct cp_random *random, struct cp_traced_tensor *input);

/* A layer of input `a`, or of `a` and `b` when it merges; `first` is the network's input. False where what was drawn does
 * not fit. */
bool cp_draw_traced_layer(struct cp_random *random, struct cp_traced_layer *layer, const struct cp_traced_tensor *a,
                          const struct cp_traced_tensor *b, const struct cp_traced_tensor *first);

/* The index of an element along a dimension. */
int cp_traced_index(const struct cp_traced_tensor *tensor, int element, int dim);

/* Does every element see the whole axis by the nature of the layers? */
bool cp_traced_full(const struct cp_traced_tensor *tensor, const struct cp_traced_tensor *first, int axis);

#endif
