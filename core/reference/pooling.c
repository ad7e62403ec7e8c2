#include "core/reference/pooling.h"

#include <math.h>
#include <stddef.h>

#include "core/checked.h"
#include "core/reference/exact.h"

static bool is_adaptive(enum cp_operation_kind kind)
{
    return kind == CP_ADAPTIVE_AVERAGE_POOL || kind == CP_ADAPTIVE_MAX_POOL;
}

static bool is_max(enum cp_operation_kind kind)
{
    return kind == CP_MAX_POOL || kind == CP_ADAPTIVE_MAX_POOL;
}

/* ---- Windows ----------------------------------------------------------------------------------------------------- */

static struct cp_pool_cells sliding_cells(const struct cp_window *window, int64_t input, int64_t unit)
{
    int64_t start = unit * window->stride - window->pad_begin;
    int64_t skipped = start < 0 ? cp_ceil_divide(-start, window->dilation) : 0;
    int64_t end = cp_ceil_divide(input - start, window->dilation); /* of the positions that are inside */
    int64_t padded_end = input + window->pad_end;
    int64_t whole_end = start + window->dilation * (window->kernel - 1) + 1;
    if (end > window->kernel) end = window->kernel;
    return (struct cp_pool_cells){start + skipped * window->dilation, end > skipped ? end - skipped : 0,
                                  (whole_end < padded_end ? whole_end : padded_end) - start};
}

/* PyTorch's: unit o covers ⌊o·i/n⌋ … ⌈(o + 1)·i/n⌉ − 1, which overlaps where n does not divide i. */
static struct cp_pool_cells adaptive_cells(int64_t input, int64_t output, int64_t unit)
{
    int64_t first = (int64_t)((cp_int128)unit * input / output);
    int64_t end = (int64_t)(((cp_int128)(unit + 1) * input + output - 1) / output);
    return (struct cp_pool_cells){first, end - first, end - first};
}

static struct cp_pool_axis axis_of(const struct cp_operation *operation, int axis, int64_t input, int64_t output,
                                   struct cp_arena *arena)
{
    struct cp_pool_cells *cells = CP_NEW_ARRAY(arena, struct cp_pool_cells, output);
    bool adaptive = is_adaptive(operation->kind);
    for (int64_t unit = 0; unit < output; unit++)
        cells[unit] =
            adaptive ? adaptive_cells(input, output, unit) : sliding_cells(&operation->window[axis], input, unit);
    return (struct cp_pool_axis){input, output, adaptive ? 1 : operation->window[axis].dilation, cells};
}

struct cp_pooling cp_pooling_of(const struct cp_reference *reference, const struct cp_shape *output,
                                struct cp_arena *arena)
{
    static const struct cp_pool_cells single = {0, 1, 1};
    const struct cp_operation *operation = &reference->operation;
    const struct cp_shape *input = &reference->input_shape;
    struct cp_pooling pooling = {.operation = operation,
                                 .planes = input->size[0] * input->size[1],
                                 .kernel_count = 1,
                                 .arena = arena,
                                 .integer = reference->element == CP_INT64};
    int missing = CP_MAX_AXES - operation->axes;
    for (int axis = 0; axis < CP_MAX_AXES; axis++) {
        int own = axis - missing;
        pooling.axis[axis] = own < 0 ? (struct cp_pool_axis){1, 1, 1, &single}
                                     : axis_of(operation, own, input->size[2 + own], output->size[2 + own], arena);
        if (own >= 0 && !is_adaptive(operation->kind)) pooling.kernel_count *= operation->window[own].kernel;
    }
    return pooling;
}

bool cp_pooling_cells(const struct cp_reference *reference, const struct cp_shape *output, int64_t *cells)
{
    const struct cp_operation *operation = &reference->operation;
    int64_t total = 1;
    for (int axis = 0; axis < operation->axes; axis++) {
        int64_t out = output->size[2 + axis], sum;
        if (!(is_adaptive(operation->kind) ? cp_add(reference->input_shape.size[2 + axis], out, &sum)
                                           : cp_multiply(operation->window[axis].kernel, out, &sum)) ||
            !cp_multiply(total, sum, &total))
            return false;
    }
    *cells = total;
    return true;
}

/* One window over one plane. */
struct window {
    const struct cp_pooling *pooling;
    struct cp_pool_cells at[CP_MAX_AXES];
    int64_t plane; /* index of the plane's first input cell */
};

/* A walk over the cells of a window, row-major. Begin with a zeroed cursor. */
struct cursor {
    int64_t z, y, x;
};

static bool next_cell(const struct window *window, struct cursor *cursor, int64_t *cell)
{
    const struct cp_pool_axis *axis = window->pooling->axis;
    const struct cp_pool_cells *at = window->at;
    if (at[1].count == 0 || at[2].count == 0 || cursor->z >= at[0].count) return false;
    *cell = window->plane +
            ((at[0].first + cursor->z * axis[0].step) * axis[1].input + at[1].first + cursor->y * axis[1].step) *
                axis[2].input +
            at[2].first + cursor->x * axis[2].step;
    if (++cursor->x < at[2].count) return true;
    cursor->x = 0;
    if (++cursor->y < at[1].count) return true;
    cursor->y = 0;
    cursor->z++;
    return true;
}

static bool is_larger(const struct cp_pooling *pooling, int64_t cell, int64_t than)
{
    if (pooling->integer) return ((const int64_t *)pooling->input)[cell] > ((const int64_t *)pooling->input)[than];
    const double *values = pooling->input;
    return values[cell] > values[than] || (isnan(values[cell]) && !isnan(values[than]));
}

/* The first of the largest cells; −1 in an empty window. */
static int64_t largest_cell(const struct window *window)
{
    struct cursor cursor = {0};
    int64_t cell, largest = -1;
    while (next_cell(window, &cursor, &cell))
        if (largest < 0 || is_larger(window->pooling, cell, largest)) largest = cell;
    return largest;
}

static int64_t average_count(const struct window *window)
{
    const struct cp_operation *operation = window->pooling->operation;
    bool padded = operation->kind == CP_AVERAGE_POOL && operation->count_include_pad;
    int64_t count = 1;
    for (int axis = 0; axis < CP_MAX_AXES; axis++) count *= padded ? window->at[axis].extent : window->at[axis].count;
    return count;
}

/* x^e, without a call where arithmetic has it. */
static double power(double x, double exponent)
{
    if (exponent == 0) return 1;
    if (exponent == 1) return x;
    return exponent == 2 ? x * x : pow(x, exponent);
}

static double root(double x, double exponent)
{
    if (exponent == 1) return x;
    return exponent == 2 ? sqrt(x) : pow(x, 1 / exponent);
}

/* Whole window over what is left of it at the end: 1 but for ceil_mode's last window. */
static double window_scale(const struct window *window)
{
    int64_t extent = window->at[0].extent * window->at[1].extent * window->at[2].extent;
    int64_t whole = window->pooling->kernel_count;
    return extent == whole ? 1 : (double)whole / (double)extent;
}

static double sum_of_powers(const struct window *window, double exponent)
{
    const double *values = window->pooling->input;
    struct cursor cursor = {0};
    int64_t cell;
    double sum = 0;
    while (next_cell(window, &cursor, &cell))
        sum = exponent == 2 ? fma(values[cell], values[cell], sum) : sum + power(values[cell], exponent);
    return sum;
}

/* ---- Forward ----------------------------------------------------------------------------------------------------- */

static double forward_float64(const struct window *window)
{
    const struct cp_operation *operation = window->pooling->operation;
    if (is_max(operation->kind)) {
        int64_t cell = largest_cell(window);
        return cell < 0 ? -(double)INFINITY : ((const double *)window->pooling->input)[cell];
    }
    if (operation->kind == CP_LP_POOL)
        return root(sum_of_powers(window, operation->norm_type) * window_scale(window), operation->norm_type);
    return sum_of_powers(window, 1) / (double)average_count(window);
}

static enum cp_reference_code forward_int64(const struct window *window, int64_t *value)
{
    const int64_t *values = window->pooling->input;
    struct cursor cursor = {0};
    int64_t cell;
    if (is_max(window->pooling->operation->kind)) {
        cell = largest_cell(window);
        if (cell < 0) return CP_REFERENCE_EMPTY_WINDOW;
        *value = values[cell];
        return CP_REFERENCE_OK;
    }
    cp_int128 sum = 0;
    int64_t count = average_count(window);
    while (next_cell(window, &cursor, &cell)) sum += values[cell];
    if (count == 0 || sum % count != 0) return CP_REFERENCE_INEXACT;
    *value = (int64_t)(sum / count);
    return CP_REFERENCE_OK;
}

static enum cp_reference_code forward_one(const struct window *window, int64_t unit, void *output)
{
    if (window->pooling->integer) return forward_int64(window, &((int64_t *)output)[unit]);
    double value = forward_float64(window);
    ((double *)output)[unit] = isnan(value) ? (double)NAN : value;
    return CP_REFERENCE_OK;
}

/* ---- Backward ---------------------------------------------------------------------------------------------------- */

/* Where gradients are summed: for int64 wide enough that only the end can overflow. */
struct sums {
    double *values;
    cp_int128 *wide;
};

static void add_gradient(const struct cp_pooling *pooling, struct sums *sums, int64_t cell, int64_t unit,
                         int64_t divisor)
{
    /* NOLINTBEGIN(clang-analyzer-core.NullDereference): the sums of the element type at hand are there */
    if (pooling->integer)
        sums->wide[cell] += ((const int64_t *)pooling->output_gradient)[unit] / divisor;
    else
        sums->values[cell] += ((const double *)pooling->output_gradient)[unit] / (double)divisor;
    /* NOLINTEND(clang-analyzer-core.NullDereference) */
}

static enum cp_reference_code backward_average(const struct window *window, int64_t unit, struct sums *sums)
{
    const struct cp_pooling *pooling = window->pooling;
    int64_t count = average_count(window);
    struct cursor cursor = {0};
    int64_t cell;
    if (pooling->integer && (count == 0 || ((const int64_t *)pooling->output_gradient)[unit] % count != 0))
        return CP_REFERENCE_INEXACT;
    while (next_cell(window, &cursor, &cell)) add_gradient(pooling, sums, cell, unit, count);
    return CP_REFERENCE_OK;
}

/* With u = scale · Σ x^p and y = u^(1/p): dy/dx = u^(1/p − 1) · scale · x^(p − 1). */
static void backward_norm(const struct window *window, int64_t unit, struct sums *sums)
{
    const struct cp_pooling *pooling = window->pooling;
    const double *values = pooling->input;
    double exponent = pooling->operation->norm_type, scale = window_scale(window);
    double norm = sum_of_powers(window, exponent) * scale;
    struct cursor cursor = {0};
    int64_t cell;
    if (norm == 0) return;
    double slope = exponent == 1 ? 1 : exponent == 2 ? 1 / sqrt(norm) : pow(norm, 1 / exponent - 1);
    double factor = ((const double *)pooling->output_gradient)[unit] * slope * scale;
    while (next_cell(window, &cursor, &cell))
        sums->values[cell] = fma(factor, power(values[cell], exponent - 1), sums->values[cell]);
}

static enum cp_reference_code backward_one(const struct window *window, int64_t unit, struct sums *sums)
{
    enum cp_operation_kind kind = window->pooling->operation->kind;
    if (is_max(kind)) {
        int64_t cell = largest_cell(window);
        if (cell >= 0) add_gradient(window->pooling, sums, cell, unit, 1);
        return CP_REFERENCE_OK;
    }
    if (kind != CP_LP_POOL) return backward_average(window, unit, sums);
    backward_norm(window, unit, sums);
    return CP_REFERENCE_OK;
}

static enum cp_reference_code finish_sums(struct cp_pooling *pooling, const struct sums *sums, int64_t count,
                                          void *input_gradient)
{
    for (int64_t cell = 0; cell < count; cell++) {
        if (!pooling->integer) {
            if (isnan(sums->values[cell])) sums->values[cell] = (double)NAN;
            continue;
        }
        int64_t value = (int64_t)sums->wide[cell];
        pooling->where = cell;
        if (value != sums->wide[cell]) return CP_REFERENCE_OVERFLOW;
        ((int64_t *)input_gradient)[cell] = value;
    }
    return CP_REFERENCE_OK;
}

/* ---- All windows ------------------------------------------------------------------------------------------------- */

/* Every window, planes and units row-major: forward into `output`, or backward into `sums` where that is NULL. */
static enum cp_reference_code each_window(struct cp_pooling *pooling, void *output, struct sums *sums)
{
    const struct cp_pool_axis *d = &pooling->axis[0], *h = &pooling->axis[1], *w = &pooling->axis[2];
    struct window window = {.pooling = pooling};
    int64_t unit = 0, lines = pooling->planes * d->output * h->output;
    for (int64_t line = 0; line < lines; line++) {
        int64_t plane = line / h->output / d->output;
        if (cp_stopped(pooling->stop)) return CP_REFERENCE_STOPPED;
        window.plane = plane * d->input * h->input * w->input;
        window.at[0] = d->cells[line / h->output % d->output];
        window.at[1] = h->cells[line % h->output];
        for (int64_t x = 0; x < w->output; x++, unit++) {
            window.at[2] = w->cells[x];
            enum cp_reference_code code =
                output ? forward_one(&window, unit, output) : backward_one(&window, unit, sums);
            pooling->where = unit;
            if (code != CP_REFERENCE_OK) return code;
        }
    }
    return CP_REFERENCE_OK;
}

enum cp_reference_code cp_pool_forward(struct cp_pooling *pooling, void *output)
{
    return each_window(pooling, output, NULL);
}

enum cp_reference_code cp_pool_backward(struct cp_pooling *pooling, void *input_gradient)
{
    const struct cp_pool_axis *axis = pooling->axis;
    int64_t count = pooling->planes * axis[0].input * axis[1].input * axis[2].input;
    struct sums sums = {.values = input_gradient};
    if (pooling->integer) sums.wide = CP_NEW_ARRAY(pooling->arena, cp_int128, count);
    for (int64_t cell = 0; !pooling->integer && cell < count; cell++) sums.values[cell] = 0;
    enum cp_reference_code code = each_window(pooling, NULL, &sums);
    return code == CP_REFERENCE_OK ? finish_sums(pooling, &sums, count, input_gradient) : code;
}
