/* What a reply of /v1/convolve shows on request: the tensors that the guide's pictures are of. */
#ifndef CP_CONVOLVE_INCLUDES_H
#define CP_CONVOLVE_INCLUDES_H

#include "server/convolve_reading.h"

enum { CP_MOST_INCLUDED = 5 };

/* A matrix with more places than this is listed by its entries. */
#define CP_MAX_DENSE_MATRIX 65536

struct cp_included {
    const char *name;
    struct cp_tensor tensor;        /* all of it, or the entries' values where it is listed */
    bool listed;                    /* by entries: */
    struct cp_shape shape;          /* [rows, columns] of the whole */
    struct cp_tensor rows, columns; /* of each entry, int64, row by row */
};

/* Do the includes that are asked for exist? Errors are recorded. *elements is the number that they take together; nothing
 * is made yet. */
bool cp_check_includes(struct cp_reader *reader, const struct cp_convolve_question *question, int64_t *elements);

/* Make them, after that check and one of the number of elements. Returns how many. */
int cp_make_includes(const struct cp_convolve_question *question, struct cp_arena *arena,
                     struct cp_included included[CP_MOST_INCLUDED]);

#endif
