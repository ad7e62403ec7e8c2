/* Answers of /v1/sizes in JSON and in words. */
#ifndef CP_SIZES_WRITING_H
#define CP_SIZES_WRITING_H

#include "server/plan_writing.h"
#include "server/symbolic_inputs.h"

struct cp_sizes_reply {
    const struct cp_sizes_question *question;
    const struct cp_symbols *symbols;
    const struct cp_valid_sizes *sizes;
    struct cp_plan_style style;
    struct cp_arena *arena;
};

void cp_write_sizes(struct cp_writer *writer, const struct cp_sizes_reply *reply);

/* A set of sizes in words: "n ≡ 12 (mod 16), n ≥ 188"; "any n ≥ 63"; "only 224". Not for the empty set. */
struct cp_text cp_describe_size_set(struct cp_arena *arena, struct cp_text symbol, const struct cp_size_set *set);

/* "n − 184", "⌊(n + 1)/2⌋ + 3", … */
struct cp_text cp_describe_size_form(struct cp_arena *arena, struct cp_text symbol, const struct cp_size_form *form);

#endif
