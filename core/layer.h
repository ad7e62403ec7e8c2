/* Layers: what a kind of layer is (its members, its shape inference, cost and reach) and what one layer of a stack is. */
#ifndef CP_LAYER_H
#define CP_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/finding.h"
#include "core/receptive_field.h"
#include "core/shape.h"
#include "core/text.h"
#include "core/window.h"

/* ---- Members: what a user may write in a layer, and where it is kept -------------------------------------------- */

/* The type of a member fixes both what JSON is accepted and how the value is kept in the kind's parameter struct. */
enum cp_member_type {
    CP_MEMBER_INTEGER, /* an integer in [minimum, maximum]; int64_t */
    CP_MEMBER_AXES,    /* an integer, or a list with one per axis; int64_t[CP_MAX_AXES], a single one repeated */
    CP_MEMBER_BOOLEAN, /* bool */
    CP_MEMBER_NUMBER,  /* any finite number; double */
    CP_MEMBER_WORD,    /* one of `words`; int, its index */
    CP_MEMBER_PADDING, /* padding of a window layer, see struct cp_padding */
    CP_MEMBER_BORDERS, /* padding of a padding layer: integer, PyTorch's flat list, or pairs; struct cp_padding */
    CP_MEMBER_SIZES,   /* an integer or a list of up to CP_MAX_RANK; struct cp_sizes */
    CP_MEMBER_SHAPE,   /* a whole shape, written in the request's layout; struct cp_sizes */
    CP_MEMBER_FACTORS, /* a positive number or a list of up to CP_MAX_AXES; struct cp_factors */
    CP_MEMBER_LAYER,   /* the name of an earlier layer or input; struct cp_layer_reference */
};

/* `padding` as written; explicit numbers, or a word that is resolved against the input's size by cp_padding_resolve. */
enum cp_padding_mode {
    CP_PAD_EXPLICIT,
    CP_PAD_VALID,      /* 0 */
    CP_PAD_SAME,       /* PyTorch's: stride 1 only */
    CP_PAD_SAME_UPPER, /* ONNX and TensorFlow */
    CP_PAD_SAME_LOWER,
    CP_PAD_HALF, /* ⌊k̂/2⌋ */
    CP_PAD_FULL, /* k̂ − 1 */
};

struct cp_padding {
    enum cp_padding_mode mode;
    int64_t begin[CP_MAX_AXES]; /* cells, first spatial axis first */
    int64_t end[CP_MAX_AXES];
};

struct cp_sizes {
    int count;   /* 0: not given */
    bool scalar; /* an integer, no list: count is 1, and each of `at` is it */
    int64_t at[CP_MAX_RANK];
};

struct cp_factors {
    int count;   /* 0: not given */
    bool scalar; /* as of sizes */
    double at[CP_MAX_AXES];
};

struct cp_layer_reference {
    struct cp_text name; /* empty: not given */
    uint32_t source;     /* see struct cp_layer; valid once the stack is linked */
};

struct cp_member {
    struct cp_text name; /* terminated */
    enum cp_member_type type;
    uint16_t offset; /* in the kind's parameter struct */
    bool required;
    bool nullable;            /* JSON null is accepted and means: not given */
    int64_t minimum;          /* of each integer, or of a number where maximum is set */
    int64_t maximum;          /* of each integer, 0 stands for CP_MAX_COUNT; of a number, 0 stands for any */
    bool nonzero;             /* 0 is refused though it is within the range */
    bool open_axes;           /* AXES: null is accepted within the list, too, for one axis; 0 */
    const char *const *words; /* CP_MEMBER_WORD: NULL-terminated; CP_MEMBER_PADDING: the words accepted */
    const char *default_text; /* the default in words where it is no constant, such as "kernel_size" */
    const char *summary;      /* one line for people */
};

/* ---- Kinds: the rows of the table ------------------------------------------------------------------------------- */

struct cp_inference;
struct cp_layer;
struct cp_tracing;

/* Why `legal` says no. */
struct cp_refusal {
    enum cp_code code;
    const char *member; /* the one to point at; NULL: the layer */
    const char *other;  /* the one it clashes with, or what is missing */
};

/* How a kind changes spatial sizes, as encoders and decoders see it. */
enum cp_stage_form {
    CP_STAGE_NONE, /* it keeps spatial sizes, has none, or does not go axis by axis */
    CP_STAGE_CONVOLUTION,
    CP_STAGE_POOLING,
    CP_STAGE_TRANSPOSED,
    CP_STAGE_UNPOOLING,
    CP_STAGE_ADAPTIVE,
    CP_STAGE_BORDER,
    CP_STAGE_CROP,
    CP_STAGE_UPSAMPLE,
    CP_STAGE_SHUFFLE,   /* both axes times the factor */
    CP_STAGE_UNSHUFFLE, /* both axes divided by it */
};

struct cp_layer_kind {
    const char *family;  /* heading under which documentation lists it */
    const char *summary; /* one line for people */
    const struct cp_member *members;
    int member_count;
    size_t parameter_size;    /* of the parameter struct, 0 when the kind has none */
    const void *defaults;     /* a parameter struct with the members' defaults; NULL: all zero */
    enum cp_stage_form stage; /* how it changes spatial sizes */
    bool refers;              /* has a member that names a layer */
    bool merges;              /* takes any number of inputs, up to CP_MAX_LAYER_INPUTS; others take one */
    /* Members that contradict each other or are missing together, whatever the input: the request is malformed.
     * Optional. True when all is well. */
    bool (*legal)(const struct cp_layer *layer, struct cp_refusal *refusal);
    /* The output's shape from the inputs' shapes: sets plan->output, relationship and trace, or reports findings and
     * returns false. Inputs are all known when it is called. */
    bool (*infer)(struct cp_inference *inference);
    /* params and macs, given the output. Optional: both are 0. Returns false on overflow. */
    bool (*cost)(struct cp_inference *inference);
    /* The receptive field. Optional: element by element, so the inputs' (their union). */
    const struct cp_field *(*reach)(struct cp_inference *inference);
    /* The same as `infer` for sizes that are not known yet, see core/layers/laws.h. Optional where the output is the
     * input's shape, whatever that is. */
    bool (*law)(struct cp_tracing *tracing);
};

/* A row of the table of layer types: the name users write, the number N in it, and the kind. */
struct cp_layer_type {
    const char *name;
    uint8_t name_size;
    uint8_t axes; /* N of {N}d; 0 for kinds without */
    const struct cp_layer_kind *kind;
};

/* THE table of layer kinds: core/layers/table.c. */
extern const struct cp_layer_type cp_layer_types[];
extern const int cp_layer_type_count;

/* Its name in small letters: name_size bytes of CP_SMALL_NAME_ROOM, the others 0. */
#define CP_SMALL_NAME_ROOM 24
const char *cp_layer_type_small_name(const struct cp_layer_type *type);

/* The type with this name, or NULL. */
const struct cp_layer_type *cp_layer_type_find(struct cp_text name);

/* ---- Layers and stacks ------------------------------------------------------------------------------------------ */

/* A source is where a layer's input comes from: 0 … input_count − 1 are the network's inputs, then the layers. */
struct cp_layer {
    const struct cp_layer_type *type;
    struct cp_text name;        /* given, or made from type and position; unique in its stack */
    const struct cp_text *from; /* names of its inputs as written, no bytes where none was; NULL: the layer before */
    const uint32_t *sources;    /* the same, linked: source_count of them, at least 1 */
    uint32_t source_count;
    uint32_t given;                /* bit m: member m of the kind was written */
    const void *params;            /* the kind's parameter struct */
    const struct cp_shape *expect; /* the author's claim, CP_ANY_SIZE where open; NULL: none */
};

struct cp_input {
    struct cp_text name;
    struct cp_shape shape;
};

struct cp_stack {
    const struct cp_input *inputs;
    uint32_t input_count;
    const struct cp_layer *layers;
    uint32_t layer_count;
    uint32_t encoder_count; /* of an encoder and decoder in one list: the decoder's layers begin here; else 0 */
    int64_t element_bytes;  /* of one number, from `dtype` */
    bool covered;           /* input_not_covered is an error */
};

/* Was this member of the layer written by its author? */
static inline bool cp_given(const struct cp_layer *layer, int member_index)
{
    return layer->given >> member_index & 1;
}

#endif
