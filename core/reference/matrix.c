#include "core/reference/matrix.h"

#include <stdalign.h>
#include <string.h>

#include "core/checked.h"
#include "core/reference/accumulator.h"

bool cp_matrix_size(const struct cp_frame *frame, struct cp_matrix *matrix)
{
    const struct cp_frame_axis *axis = frame->axis;
    int64_t pairs = frame->groups, small = frame->groups, big = frame->groups;
    bool fits = cp_multiply(small, frame->small_channels, &small) && cp_multiply(big, frame->big_channels, &big) &&
                cp_multiply(small, frame->big_channels, &pairs);
    for (int i = 0; i < CP_MAX_AXES && fits; i++)
        fits = cp_multiply(small, axis[i].small, &small) && cp_multiply(big, axis[i].big, &big) &&
               cp_multiply(pairs, cp_axis_real_pairs(&axis[i]), &pairs);
    if (!fits) return false;
    *matrix = (struct cp_matrix){small, big, pairs, NULL};
    return true;
}

/* A unit of the small side, in all three axes. */
struct unit {
    int64_t at[CP_MAX_AXES];
};

/* Entries of one row that belong to one channel of the big side, kernel row-major, so their columns ascend. */
static struct cp_matrix_entry *add_entries(const struct cp_frame *frame, const struct unit *unit,
                                           struct cp_matrix_entry start, struct cp_matrix_entry *entry)
{
    const struct cp_frame_axis *d = &frame->axis[0], *h = &frame->axis[1], *w = &frame->axis[2];
    for (int64_t i = 0; i < d->kernel; i++) {
        int64_t z = unit->at[0] * d->stride + i * d->dilation - d->pad_begin;
        for (int64_t j = 0; z >= 0 && z < d->big && j < h->kernel; j++) {
            int64_t y = unit->at[1] * h->stride + j * h->dilation - h->pad_begin;
            for (int64_t k = 0; y >= 0 && y < h->big && k < w->kernel; k++) {
                int64_t x = unit->at[2] * w->stride + k * w->dilation - w->pad_begin;
                if (x < 0 || x >= w->big) continue;
                *entry++ = (struct cp_matrix_entry){start.row, start.column + (z * h->big + y) * w->big + x,
                                                    start.weight + (i * h->kernel + j) * w->kernel + k};
            }
        }
    }
    return entry;
}

struct cp_matrix cp_matrix_build(const struct cp_frame *frame, struct cp_arena *arena)
{
    struct cp_matrix matrix;
    if (!cp_matrix_size(frame, &matrix)) arena->exhausted(arena);
    int64_t kernel_count = cp_frame_kernel_count(frame);
    int64_t units = cp_frame_small_count(frame), big = cp_frame_big_count(frame);
    struct cp_matrix_entry *entries = CP_NEW_ARRAY(arena, struct cp_matrix_entry, matrix.entry_count);
    struct cp_matrix_entry *next = entries;
    for (int64_t row = 0; row < matrix.rows; row++) {
        int64_t channel = row / units, unit = row % units;
        int64_t group = channel / frame->small_channels;
        int64_t line = unit / frame->axis[2].small;
        struct unit at = {{line / frame->axis[1].small, line % frame->axis[1].small, unit % frame->axis[2].small}};
        for (int64_t other = 0; other < frame->big_channels; other++) {
            struct cp_matrix_entry start = {row, (group * frame->big_channels + other) * big,
                                            (channel * frame->big_channels + other) * kernel_count};
            next = add_entries(frame, &at, start, next);
        }
    }
    matrix.entries = entries;
    return matrix;
}

struct cp_tensor cp_matrix_dense(const struct cp_matrix *matrix, const struct cp_tensor *weight, struct cp_arena *arena)
{
    size_t bytes = cp_element_bytes(weight->element);
    struct cp_tensor dense = {.shape = {2, {matrix->rows, matrix->columns}}, .element = weight->element};
    unsigned char *cells = cp_arena_zeroed(arena, (size_t)(matrix->rows * matrix->columns), bytes, alignof(double));
    for (int64_t i = 0; i < matrix->entry_count; i++) {
        const struct cp_matrix_entry *entry = &matrix->entries[i];
        memcpy(cells + (size_t)(entry->row * matrix->columns + entry->column) * bytes,
               (const unsigned char *)weight->data + (size_t)entry->weight * bytes, bytes);
    }
    dense.data = cells;
    return dense;
}

/* Entries between two looks at `stop`. */
enum { ENTRIES_AT_ONCE = 1 << 16 };

static void add_entry(struct cp_accumulator *sums, const struct cp_computation *computation,
                      const struct cp_matrix_entry *entry, int64_t small_first, int64_t big_first)
{
    const struct cp_frame_data *data = &computation->data;
    int64_t small = small_first + entry->row, big = big_first + entry->column;
    switch (computation->sense) {
    case CP_GATHER: cp_accumulator_add(sums, small, data->weight, entry->weight, data->big, big); break;
    case CP_SCATTER: cp_accumulator_add(sums, big, data->weight, entry->weight, data->small, small); break;
    default: cp_accumulator_add(sums, entry->weight, data->small, small, data->big, big); break;
    }
}

static void start_at_bias(const struct cp_computation *computation, struct cp_accumulator *sums)
{
    const struct cp_frame *frame = &computation->frame;
    bool gather = computation->sense == CP_GATHER;
    int64_t units = gather ? cp_frame_small_count(frame) : cp_frame_big_count(frame);
    int64_t channels = (gather ? frame->small_channels : frame->big_channels) * frame->groups;
    if (!computation->data.bias) return;
    for (int64_t i = 0; i < sums->count; i++) cp_accumulator_set(sums, i, computation->data.bias, i / units % channels);
}

enum cp_contract_status cp_compute_matrix(struct cp_computation *computation)
{
    struct cp_matrix matrix = cp_matrix_build(&computation->frame, computation->arena);
    struct cp_accumulator sums = cp_accumulator_start(computation->arena, computation->integer,
                                                      cp_computation_result(computation), computation->result_count);
    start_at_bias(computation, &sums);
    for (int64_t sample = 0; sample < computation->frame.batch; sample++) {
        for (int64_t i = 0; i < matrix.entry_count; i++) {
            if (i % ENTRIES_AT_ONCE == 0 && cp_stopped(computation->stop)) return CP_CONTRACT_STOPPED;
            add_entry(&sums, computation, &matrix.entries[i], sample * matrix.rows, sample * matrix.columns);
        }
    }
    return cp_accumulator_finish(&sums, &computation->overflow) ? CP_CONTRACT_DONE : CP_CONTRACT_OVERFLOW;
}
