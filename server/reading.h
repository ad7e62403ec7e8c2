/* From JSON to a linked stack: the member tables of core/layers drive what is accepted. Every error is recorded, none
 * hides another. */
#ifndef CP_READING_H
#define CP_READING_H

#include "core/layer.h"
#include "server/problem.h"

struct cp_reader {
    struct cp_arena *arena;
    struct cp_problems problems;
    bool channels_last; /* shapes are written with the channels last */
};

/* A member of a request, for requests that hold more than a stack. */
struct cp_request_member {
    const char *name;
    bool required;
};

void cp_reader_begin(struct cp_reader *reader, struct cp_arena *arena);

/* Parse the body as one JSON object; NULL after recording why not. */
const struct cp_json *cp_read_body(struct cp_reader *reader, struct cp_text body);

/* Record each member of `object` that is not among `known` (NULL-terminated; `meta` is always known), with the nearest
 * known name, and each that is required but missing: those come first in `known`, `required_count` of them. */
void cp_read_known_members(struct cp_reader *reader, const struct cp_json *object, const struct cp_path *at,
                           const char *const *known, int required_count);

/* Members of the request as a whole: `value` may be NULL (absent), the result is then the default. */
bool cp_read_boolean(struct cp_reader *reader, const struct cp_json *object, const char *name, bool otherwise);
int cp_read_word(struct cp_reader *reader, const struct cp_json *object, const char *name, const char *const *words,
                 int otherwise);

/* `layout`: sets reader->channels_last; to be called before any shape is read. */
void cp_read_layout(struct cp_reader *reader, const struct cp_json *request);

/* `dtype`: the bytes of one element, 4 by default. */
int64_t cp_read_element_bytes(struct cp_reader *reader, const struct cp_json *request);

/* A shape of positive sizes in the request's layout, of at most `most` elements, turned channels first; false after
 * recording why not. */
bool cp_read_shape(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at, int64_t most,
                   struct cp_shape *shape);

/* `input` or `inputs` into stack->inputs. */
void cp_read_inputs(struct cp_reader *reader, const struct cp_json *request, struct cp_stack *stack);

/* The list of layers under `name`, linked to stack->inputs; errors are recorded. */
void cp_read_layers(struct cp_reader *reader, const struct cp_json *request, const char *name, struct cp_stack *stack);

/* The layer under `name`, alone, as a stack that takes its input from stack->inputs; errors are recorded. */
void cp_read_one_layer(struct cp_reader *reader, const struct cp_json *request, const char *name,
                       struct cp_stack *stack);

/* `encoder` and `decoder` as one stack, linked; errors are recorded. */
void cp_read_encoder_and_decoder(struct cp_reader *reader, const struct cp_json *request, struct cp_stack *stack);

/* One member of a layer into its parameter struct, by the table: server/reading_members.c. */
void cp_read_layer_member(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at,
                          const struct cp_member *member, int axes, void *parameters);

/* The same for what most are, one integer that is right, whether the member wants one or has one for each axis. False: it
 * is something else, and nothing was done. */
bool cp_read_plain_integer(const struct cp_json *value, const struct cp_member *member, int axes, void *parameters);

/* "expected …, got …" */
void cp_read_wrong(struct cp_reader *reader, enum cp_code code, const struct cp_path *at, const char *expected,
                   const struct cp_json *got) CP_RARE;

/* The element types of `dtype`, NULL-terminated. */
extern const char *const cp_dtype_names[];

#endif
