#include "server/convolve_includes.h"

#include "core/checked.h"
#include "core/reference/emulation.h"
#include "core/reference/matrix.h"

/* A question seen as a frame, with its operands on the frame's sides; a side that is computed is NULL. */
struct view {
    struct cp_frame frame;
    enum cp_sense sense;
    int axes;
    const struct cp_tensor *big, *small, *weight;
};

static bool is_convolution(const struct cp_convolve_question *question)
{
    enum cp_operation_kind kind = question->reference.operation.kind;
    return kind == CP_CONVOLUTION || kind == CP_TRANSPOSED_CONVOLUTION;
}

static struct view view_of(const struct cp_convolve_question *question)
{
    const struct cp_reference *reference = &question->reference;
    bool transposed = reference->operation.kind == CP_TRANSPOSED_CONVOLUTION;
    const struct cp_tensor *input = reference->direction == CP_BACKWARD_INPUT ? NULL : reference->input;
    const struct cp_tensor *output = reference->output_gradient;
    return (struct view){
        .frame = cp_frame_of(reference, &question->output),
        .sense = cp_frame_sense(reference->operation.kind, reference->direction),
        .axes = reference->operation.axes,
        .big = transposed ? output : input,
        .small = transposed ? input : output,
        .weight = reference->weight,
    };
}

/* NULL, or why there is no such thing here. */
static const char *absence(const struct view *view, enum cp_include include)
{
    switch (include) {
    case CP_INCLUDE_MATRIX: return NULL;
    case CP_INCLUDE_PADDED_INPUT:
        return view->sense == CP_SCATTER ? "nothing is padded here; what is transposed is stretched and padded" : NULL;
    default:
        return view->sense == CP_SCATTER ? NULL
                                         : "only what is transposed is stretched: a transposed convolution forward, a "
                                           "convolution's gradient of its input";
    }
}

/* Places of the matrix where it is shown whole, else three numbers for each entry. */
static bool matrix_elements(const struct cp_frame *frame, int64_t *elements, bool *listed)
{
    struct cp_matrix matrix;
    enum { NUMBERS_PER_ENTRY = 3 };
    if (!cp_matrix_size(frame, &matrix)) return false;
    *listed = !cp_multiply(matrix.rows, matrix.columns, elements) || *elements > CP_MAX_DENSE_MATRIX;
    return !*listed || cp_multiply(matrix.entry_count, NUMBERS_PER_ENTRY, elements);
}

static bool count_elements(const struct view *view, enum cp_include include, int64_t *elements)
{
    struct cp_shape shape;
    bool listed;
    switch (include) {
    case CP_INCLUDE_MATRIX: return matrix_elements(&view->frame, elements, &listed);
    case CP_INCLUDE_STRETCHED_INPUT: shape = cp_stretched_shape(&view->frame, view->axes); break;
    case CP_INCLUDE_STRETCHED_PADDED_INPUT: shape = cp_stretched_padded_shape(&view->frame, view->axes); break;
    case CP_INCLUDE_PADDED_INPUT: shape = cp_padded_shape(&view->frame, view->axes); break;
    default: shape = view->weight->shape; break;
    }
    return cp_shape_product(&shape, 0, shape.rank, elements);
}

bool cp_check_includes(struct cp_reader *reader, const struct cp_convolve_question *question, int64_t *elements)
{
    static const struct cp_path root = {0};
    struct cp_path at = CP_PATH_MEMBER(&root, CP_TEXT("include"));
    uint32_t before = reader->problems.count;
    struct view view = {0};
    int64_t own, total = 0;
    if (is_convolution(question)) view = view_of(question);
    for (int bit = 0; cp_include_names[bit]; bit++) {
        enum cp_include include = (enum cp_include)(1u << bit);
        if (!(question->includes & include)) continue;
        const char *why = is_convolution(question) ? absence(&view, include) : "pools have none";
        if (why)
            cp_problem_add(&reader->problems, CP_CODE_include_not_applicable, &at,
                           CP_ARGUMENTS(cp_words(cp_include_names[bit]), cp_words(why)));
        else if (!count_elements(&view, include, &own) || !cp_add(total, own, &total))
            total = CP_MAX_COUNT;
    }
    *elements = total;
    return reader->problems.count == before;
}

/* ---- Making them -------------------------------------------------------------------------------------------------- */

static struct cp_tensor entry_tensor(struct cp_arena *arena, int64_t count, enum cp_element element)
{
    void *data = cp_arena_take(arena, (size_t)count * cp_element_bytes(element), alignof(double));
    return (struct cp_tensor){{1, {count}}, element, data};
}

static void copy_element(const struct cp_tensor *from, int64_t source, struct cp_tensor *to, int64_t target)
{
    size_t bytes = cp_element_bytes(from->element);
    memcpy((char *)to->data + (size_t)target * bytes, (const char *)from->data + (size_t)source * bytes, bytes);
}

static void list_matrix(const struct cp_matrix *matrix, const struct cp_tensor *weight, struct cp_arena *arena,
                        struct cp_included *included)
{
    int64_t count = matrix->entry_count;
    included->listed = true;
    included->rows = entry_tensor(arena, count, CP_INT64);
    included->columns = entry_tensor(arena, count, CP_INT64);
    included->tensor = entry_tensor(arena, count, weight->element);
    for (int64_t at = 0; at < count; at++) {
        const struct cp_matrix_entry *entry = &matrix->entries[at];
        ((int64_t *)included->rows.data)[at] = entry->row;
        ((int64_t *)included->columns.data)[at] = entry->column;
        copy_element(weight, entry->weight, &included->tensor, at);
    }
}

static void make_matrix(const struct view *view, struct cp_arena *arena, struct cp_included *included)
{
    int64_t elements = 0;
    bool listed = false;
    struct cp_matrix matrix = cp_matrix_build(&view->frame, arena);
    (void)!matrix_elements(&view->frame, &elements, &listed);
    included->shape = (struct cp_shape){2, {matrix.rows, matrix.columns}};
    if (listed)
        list_matrix(&matrix, view->weight, arena, included);
    else
        included->tensor = cp_matrix_dense(&matrix, view->weight, arena);
}

static void make(const struct view *view, enum cp_include include, struct cp_arena *arena, struct cp_included *included)
{
    switch (include) {
    case CP_INCLUDE_MATRIX: make_matrix(view, arena, included); break;
    case CP_INCLUDE_STRETCHED_INPUT:
        included->tensor = cp_stretched(&view->frame, view->axes, view->small, arena);
        break;
    case CP_INCLUDE_STRETCHED_PADDED_INPUT:
        included->tensor = cp_stretched_padded(&view->frame, view->axes, view->small, arena);
        break;
    case CP_INCLUDE_PADDED_INPUT: included->tensor = cp_padded(&view->frame, view->axes, view->big, arena); break;
    case CP_INCLUDE_FLIPPED_KERNEL:
        included->tensor = cp_flipped_kernel(&view->frame, view->axes, view->weight, arena);
        break;
    }
}

int cp_make_includes(const struct cp_convolve_question *question, struct cp_arena *arena,
                     struct cp_included included[CP_MOST_INCLUDED])
{
    int count = 0;
    if (!question->includes) return 0;
    struct view view = view_of(question);
    for (int bit = 0; cp_include_names[bit]; bit++) {
        if (!(question->includes & 1u << bit)) continue;
        included[count] = (struct cp_included){.name = cp_include_names[bit]};
        make(&view, (enum cp_include)(1u << bit), arena, &included[count++]);
    }
    return count;
}
