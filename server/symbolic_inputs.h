/* Inputs with free sizes: names in the place of numbers, as /v1/sizes takes them. */
#ifndef CP_SYMBOLIC_INPUTS_H
#define CP_SYMBOLIC_INPUTS_H

#include "core/sizes.h"
#include "server/reading.h"

struct cp_symbols {
    struct cp_text names[CP_MAX_SYMBOLS];
    int count;
    int8_t (*at)[CP_MAX_RANK];    /* for each input and dimension, channels first: the symbol, or CP_FIXED_SIZE */
    int64_t near[CP_MAX_SYMBOLS]; /* the size that `near` asks about, 0 for none */
};

/* `input` or `inputs` into stack->inputs, with size 1 where a symbol stands; problems are recorded. */
void cp_read_symbolic_inputs(struct cp_reader *reader, const struct cp_json *request, struct cp_stack *stack,
                             struct cp_symbols *symbols);

/* `near`: an object of symbol → size. Call after the inputs have been read. */
void cp_read_near(struct cp_reader *reader, const struct cp_json *request, struct cp_symbols *symbols);

#endif
