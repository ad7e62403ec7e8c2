/* Encoders and decoders of random layers: what each layer gives on one axis, by its definition, and how it is written. */
#ifndef CP_TEST_RANDOM_PAIRS_H
#define CP_TEST_RANDOM_PAIRS_H

#include <stdio.h>

#include "tests/property/random.h"

enum cp_test_kind {
    CP_TEST_CONV,
    CP_TEST_TRANSPOSED,
    CP_TEST_MAX_POOL,
    CP_TEST_AVG_POOL,
    CP_TEST_UNPOOL,
    CP_TEST_UPSCALE,
    CP_TEST_RESIZE,
    CP_TEST_SHUFFLE,
    CP_TEST_UNSHUFFLE,
    CP_TEST_ZERO_PAD,
    CP_TEST_REFLECTION_PAD,
    CP_TEST_CROP,
    CP_TEST_ADAPTIVE,
    CP_TEST_RELU,
    CP_TEST_SLICE, /* this and those below: of axis number factor − 1 alone */
    CP_TEST_MEAN,
    CP_TEST_LINEAR,
    CP_TEST_KIND_COUNT,
};

enum { CP_TEST_MOST_AXES = 3, CP_TEST_MOST_LAYERS = 6 };

struct cp_test_layer {
    enum cp_test_kind kind;
    const char *word; /* padding */
    bool ceil, has_extra, has_size;
    int in_channels, channels, groups, factor;
    double scale;
    int k[CP_TEST_MOST_AXES], s[CP_TEST_MOST_AXES], d[CP_TEST_MOST_AXES], begin[CP_TEST_MOST_AXES],
        end[CP_TEST_MOST_AXES], extra[CP_TEST_MOST_AXES], size[CP_TEST_MOST_AXES];
};

struct cp_test_list {
    int count;
    struct cp_test_layer layer[CP_TEST_MOST_LAYERS];
};

struct cp_test_pair {
    int axes, channels, input[CP_TEST_MOST_AXES];
    struct cp_test_list encoder, decoder;
};

/* Floor, for any dividend. */
int cp_test_floor_divide(int a, int b);

/* k̂ */
int cp_span_of(const struct cp_test_layer *layer, int axis);

bool cp_is_transposed(const struct cp_test_layer *layer);
bool cp_is_pool(const struct cp_test_layer *layer);

/* What the layer gives on one axis; 0: it is not legal. */
int cp_output_of(const struct cp_test_layer *layer, int axis, int input);

/* A stage: not every size that it takes is kept, or it takes none; output_size, which makes it take only few, aside. */
bool cp_changes_size(const struct cp_test_layer *layer, int axes);

/* Channels fit, sizes need not. Up to `most` layers on either side. */
void cp_draw_pair(struct cp_random *random, struct cp_test_pair *pair, int most);

/* The same with layers most of which are stages or none by their padding, and with others that take few sizes. */
void cp_draw_turning_pair(struct cp_random *random, struct cp_test_pair *pair, int most);

/* As the members of requests: the layers of a list without brackets; {"input": […], with what follows left to be written;
 * and the whole body of /v1/roundtrip. */
void cp_write_list(FILE *file, const struct cp_test_list *list, int axes);
void cp_write_input(FILE *file, const struct cp_test_pair *pair);
void cp_write_test_pair(FILE *file, const struct cp_test_pair *pair);

#endif
