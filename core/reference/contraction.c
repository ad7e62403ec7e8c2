#include "core/reference/contraction.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/reference/exact.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* What one call of a kernel variant does: a stretch of the sums of a block of 1 … 8 rows over some strips. */
struct tile_job {
    const double *packed; /* [outer][tap][row] */
    const double *b;
    const double *initial; /* of the block's first row; NULL: +0 */
    double *out;
    double *partial; /* [strip][row][lane]: the sums between two stretches, or before they are dealt out */
    bool is_first;   /* stretch of its sums: they start at `initial`, not at `partial` */
    bool is_plain;   /* the last stretch, and every strip is a full vector of neighbours in `out`: written there */
    const struct cp_strip *strips;
    const int64_t *b_tap;
    int64_t strip_count;
    int64_t outer, taps, b_outer;
    int64_t out_row, out_step;
    int rows;
};

/* The index checks of a sanitizer in unrolled tiles take minutes to compile; bad addresses are still seen. */
#define CP_UNCHECKED __attribute__((no_sanitize("undefined")))

#define CP_MOST_LANES 8
#define CP_TILE_ROWS 8
#define CP_TILE_WIDTH 8

#if defined(__clang__)
#define CP_UNROLL _Pragma("clang loop unroll(full)")
#else
#define CP_UNROLL _Pragma("GCC unroll 8")
#endif

/* ---- Portable: two lanes, which compilers make vectors of where the baseline has a vector fma -------------------- */

/* Where fma() is a call, large tiles would only be large code. */
#if defined(__FP_FAST_FMA)
#define PORTABLE_IS_WIDE 1
#else
#define PORTABLE_IS_WIDE 0
#endif

struct pair {
    double at[2];
};

static inline __attribute__((always_inline)) struct pair pair_fma(struct pair a, struct pair b, struct pair c)
{
    return (struct pair){{__builtin_fma(a.at[0], b.at[0], c.at[0]), __builtin_fma(a.at[1], b.at[1], c.at[1])}};
}

static inline __attribute__((always_inline)) struct pair pair_clean(struct pair x)
{
    return (struct pair){{x.at[0] == x.at[0] ? x.at[0] : (double)NAN, x.at[1] == x.at[1] ? x.at[1] : (double)NAN}};
}

#define CP_TILE(name) name##_portable
#define CP_TARGET CP_UNCHECKED
#define CP_LANES 2
#define CP_VECTOR struct pair
#define CP_LOAD(p) ((struct pair){{(p)[0], (p)[1]}})
#define CP_SPLAT(x) ((struct pair){{(x), (x)}})
#define CP_FMA(a, b, c) pair_fma(a, b, c)
#define CP_STORE(p, x) memcpy((p), (x).at, sizeof(x).at)
#define CP_CLEAN(x) pair_clean(x)
#define CP_WIDE_FILE PORTABLE_IS_WIDE
#include "core/reference/contraction_tile.h"

#if defined(__x86_64__)

/* ---- AVX2 with FMA ----------------------------------------------------------------------------------------------- */

#define CP_TILE(name) name##_avx2
#define CP_TARGET __attribute__((target("avx2,fma"))) CP_UNCHECKED
#define CP_LANES 4
#define CP_VECTOR __m256d
#define CP_LOAD(p) _mm256_loadu_pd(p)
#define CP_SPLAT(x) _mm256_set1_pd(x)
#define CP_FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define CP_STORE(p, x) _mm256_storeu_pd(p, x)
#define CP_CLEAN(x) _mm256_blendv_pd(x, _mm256_set1_pd((double)NAN), _mm256_cmp_pd(x, x, _CMP_UNORD_Q))
#define CP_WIDE_FILE 0
#include "core/reference/contraction_tile.h"

/* ---- AVX-512 ----------------------------------------------------------------------------------------------------- */

#define CP_TILE(name) name##_avx512
#define CP_TARGET __attribute__((target("avx512f"))) CP_UNCHECKED
#define CP_LANES 8
#define CP_VECTOR __m512d
#define CP_LOAD(p) _mm512_loadu_pd(p)
#define CP_SPLAT(x) _mm512_set1_pd(x)
#define CP_FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define CP_STORE(p, x) _mm512_storeu_pd(p, x)
#define CP_CLEAN(x) _mm512_mask_mov_pd(x, _mm512_cmp_pd_mask(x, x, _CMP_UNORD_Q), _mm512_set1_pd((double)NAN))
#define CP_WIDE_FILE 1
#include "core/reference/contraction_tile.h"

static bool have_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool have_avx512(void)
{
    return __builtin_cpu_supports("avx512f");
}

#endif

/* ---- Dispatch ---------------------------------------------------------------------------------------------------- */

static bool have_portable(void)
{
    return true;
}

struct variant {
    const char *name;
    bool (*available)(void);
    void (*run)(const struct tile_job *job);
    int lanes;
    int most_rows;
};

static const struct variant variants[CP_INSTRUCTION_SET_COUNT] = {
    [CP_INSTRUCTIONS_PORTABLE] = {"portable", have_portable, run_portable, 2, PORTABLE_IS_WIDE ? 8 : 4},
#if defined(__x86_64__)
    [CP_INSTRUCTIONS_AVX2] = {"avx2", have_avx2, run_avx2, 4, 4},
    [CP_INSTRUCTIONS_AVX512] = {"avx512", have_avx512, run_avx512, 8, 8},
#endif
};

bool cp_instructions_available(enum cp_instruction_set instructions)
{
    if (instructions == CP_INSTRUCTIONS_BEST) return true;
    return variants[instructions].available && variants[instructions].available();
}

static const struct variant *variant_of(enum cp_instruction_set instructions)
{
    if (instructions != CP_INSTRUCTIONS_BEST) return &variants[instructions];
    int best = CP_INSTRUCTION_SET_COUNT - 1;
    while (!cp_instructions_available((enum cp_instruction_set)best)) best--;
    return &variants[best];
}

const char *cp_instructions_name(enum cp_instruction_set instructions)
{
    const char *name = variant_of(instructions)->name;
    return name ? name : "";
}

int cp_instructions_lanes(enum cp_instruction_set instructions)
{
    return variant_of(instructions)->lanes;
}

/* ---- float64 ----------------------------------------------------------------------------------------------------- */

/* The loops around the tiles: a few strips, then a stretch of the terms, then all blocks of rows. So the part of b
 * that a stretch reads stays in the first level of the cache while the rows pass by, and the packed rows are one
 * stream. */
enum {
    TERMS_AT_ONCE = 160,      /* 3 strips: 30 KiB of b without overlap, a third of that with a 3 × 3 kernel */
    STRIPS_AT_ONCE = 3,       /* the width of the tallest tile */
    STRIPS_OF_ONE_BLOCK = 24, /* where no second block of rows would read b again; a multiple of all widths but one */
};

int64_t cp_contraction_scratch(int64_t rows, int64_t depth)
{
    return rows * depth + CP_MOST_LANES * (STRIPS_AT_ONCE * rows + STRIPS_OF_ONE_BLOCK * CP_TILE_ROWS);
}

/* Rows of the next block: a size that the variants have a tile for. */
static int block_rows(int64_t rows_left, int most)
{
    if (rows_left >= most) return most;
    return rows_left >= 4 ? 4 : (int)rows_left;
}

/* One block of rows as [outer][tap][row], so that the kernel reads its weights in one stream. */
static inline __attribute__((always_inline)) void pack_rows(const struct cp_contraction *contraction, const double *a,
                                                            const int rows, double *restrict packed)
{
    int64_t stride = contraction->a_row;
    for (int64_t outer = 0; outer < contraction->outer; outer++) {
        for (int64_t tap = 0; tap < contraction->taps; tap++, packed += rows) {
            const double *column = a + outer * contraction->a_outer + contraction->a_tap[tap];
            for (int row = 0; row < rows; row++) packed[row] = column[row * stride];
        }
    }
}

static void pack_block(const struct cp_contraction *contraction, const double *a, int rows, double *packed)
{
    if (rows == CP_TILE_ROWS)
        pack_rows(contraction, a, CP_TILE_ROWS, packed); /* the usual case, unrolled */
    else
        pack_rows(contraction, a, rows, packed);
}

static void pack(const struct cp_contraction *contraction, const double *a, int most_rows, double *packed)
{
    int64_t depth = contraction->outer * contraction->taps;
    for (int64_t row = 0; row < contraction->rows;) {
        int rows = block_rows(contraction->rows - row, most_rows);
        pack_block(contraction, a + row * contraction->a_row, rows, packed + row * depth);
        row += rows;
    }
}

/* A stretch of the terms: outers [outer, outer_end), and of each the taps [tap, tap_end). */
struct stretch {
    int64_t outer, outer_end, tap, tap_end;
};

/* The next one: whole outers where several fit, in equal parts, else parts of one. */
static struct stretch stretch_at(const struct cp_contraction *contraction, int64_t outer, int64_t tap)
{
    int64_t taps = contraction->taps, most = contraction->outer;
    if (taps >= TERMS_AT_ONCE) {
        int64_t end = tap + TERMS_AT_ONCE < taps ? tap + TERMS_AT_ONCE : taps;
        return (struct stretch){outer, outer < most ? outer + 1 : most, tap, end};
    }
    int64_t parts = most * taps / TERMS_AT_ONCE + 1, step = (most + parts - 1) / parts;
    return (struct stretch){outer, outer + step < most ? outer + step : most, 0, taps};
}

/* Deal the finished sums of a block out to their places. */
static void deal_out(const struct tile_job *job, int lanes)
{
    const double *sums = job->partial;
    for (int64_t strip = 0; strip < job->strip_count; strip++) {
        for (int row = 0; row < job->rows; row++, sums += lanes) {
            double *out = job->out + row * job->out_row + job->strips[strip].out;
            for (int64_t lane = 0; lane < job->strips[strip].count; lane++)
                out[lane * job->out_step] = isnan(sums[lane]) ? (double)NAN : sums[lane];
        }
    }
}

static bool strips_are_full(const struct tile_job *job, int lanes)
{
    for (int64_t strip = 0; strip < job->strip_count; strip++)
        if (job->strips[strip].count != lanes) return false;
    return job->out_step == 1;
}

/* One call of cp_contract_float64. */
struct work {
    const struct cp_contraction *contraction;
    const struct variant *variant;
    const double *packed, *b, *initial;
    double *partial, *out;
    struct cp_stop stop;
};

/* Add a stretch to every row of the job's strips, and finish them when it is the last. */
static bool run_stretch(const struct work *work, struct tile_job *job, const struct stretch *stretch, bool is_last)
{
    const struct cp_contraction *contraction = work->contraction;
    int64_t depth = contraction->outer * contraction->taps;
    job->outer = stretch->outer_end - stretch->outer;
    job->taps = stretch->tap_end - stretch->tap;
    job->b = work->b + stretch->outer * contraction->b_outer;
    job->b_tap = contraction->b_tap + stretch->tap;
    for (int64_t row = 0; row < contraction->rows; row += job->rows) {
        if (cp_stopped(work->stop)) return false;
        job->rows = block_rows(contraction->rows - row, work->variant->most_rows);
        job->packed = work->packed + row * depth + (stretch->outer * contraction->taps + stretch->tap) * job->rows;
        job->initial = work->initial ? work->initial + row : NULL;
        job->partial = work->partial + row * job->strip_count * work->variant->lanes;
        job->out = work->out + row * contraction->out_row;
        work->variant->run(job);
        if (is_last && !job->is_plain) deal_out(job, work->variant->lanes);
    }
    return true;
}

static bool run_strips(const struct work *work, const struct cp_strip *strips, int64_t count)
{
    const struct cp_contraction *contraction = work->contraction;
    struct tile_job job = {.strips = strips,
                           .strip_count = count,
                           .b_outer = contraction->b_outer,
                           .out_row = contraction->out_row,
                           .out_step = contraction->out_step,
                           .is_first = true};
    struct stretch stretch = stretch_at(contraction, 0, 0);
    bool full = strips_are_full(&job, work->variant->lanes);
    for (;; job.is_first = false) {
        bool outer_done = stretch.tap_end == contraction->taps;
        bool is_last = outer_done && stretch.outer_end == contraction->outer;
        job.is_plain = is_last && full;
        if (!run_stretch(work, &job, &stretch, is_last)) return false;
        if (is_last) return true;
        stretch = outer_done ? stretch_at(contraction, stretch.outer_end, 0)
                             : stretch_at(contraction, stretch.outer, stretch.tap_end);
    }
}

/* NOLINTBEGIN(readability-non-const-parameter): `out` is written to through the jobs */
bool cp_contract_float64(const struct cp_contraction *contraction, enum cp_instruction_set instructions,
                         const double *a, const double *b, const double *initial, double *scratch, double *out,
                         struct cp_stop stop)
{
    const struct variant *variant = variant_of(instructions);
    double *partial = scratch + contraction->rows * contraction->outer * contraction->taps;
    struct work work = {contraction, variant, scratch, b, initial, partial, out, stop};
    int64_t at_once = contraction->rows <= variant->most_rows ? STRIPS_OF_ONE_BLOCK : STRIPS_AT_ONCE;
    pack(contraction, a, variant->most_rows, scratch);
    for (int64_t at = 0; at < contraction->strip_count; at += at_once) {
        int64_t left = contraction->strip_count - at;
        if (!run_strips(&work, contraction->strips + at, left < at_once ? left : at_once)) return false;
    }
    return true;
}
/* NOLINTEND(readability-non-const-parameter) */

/* ---- int64 ------------------------------------------------------------------------------------------------------- */

static void sum_bounded(const struct cp_contraction *contraction, const int64_t *a, const int64_t *b, int64_t initial,
                        int64_t count, int64_t *restrict sum)
{
    for (int64_t lane = 0; lane < count; lane++) sum[lane] = initial;
    for (int64_t outer = 0; outer < contraction->outer; outer++) {
        for (int64_t tap = 0; tap < contraction->taps; tap++) {
            int64_t w = a[outer * contraction->a_outer + contraction->a_tap[tap]];
            const int64_t *x = b + outer * contraction->b_outer + contraction->b_tap[tap];
            for (int64_t lane = 0; lane < count; lane++) sum[lane] += w * x[lane];
        }
    }
}

/* The number of leading lanes whose sum fits. */
static int64_t sum_exactly(const struct cp_contraction *contraction, const int64_t *a, const int64_t *b,
                           int64_t initial, int64_t count, int64_t *restrict sum)
{
    struct cp_exact exact[CP_CONTRACTION_INTEGER_LANES];
    for (int64_t lane = 0; lane < count; lane++) exact[lane] = cp_exact_start(initial);
    for (int64_t outer = 0; outer < contraction->outer; outer++) {
        for (int64_t tap = 0; tap < contraction->taps; tap++) {
            int64_t w = a[outer * contraction->a_outer + contraction->a_tap[tap]];
            const int64_t *x = b + outer * contraction->b_outer + contraction->b_tap[tap];
            for (int64_t lane = 0; lane < count; lane++) cp_exact_add(&exact[lane], w, x[lane]);
        }
    }
    for (int64_t lane = 0; lane < count; lane++)
        if (!cp_exact_finish(&exact[lane], &sum[lane])) return lane;
    return count;
}

enum cp_contract_status cp_contract_int64(const struct cp_contraction *contraction, bool bounded, const int64_t *a,
                                          const int64_t *b, const int64_t *initial, int64_t *out, int64_t *overflow,
                                          struct cp_stop stop)
{
    int64_t sum[CP_CONTRACTION_INTEGER_LANES];
    for (int64_t row = 0; row < contraction->rows; row++) {
        const int64_t *weights = a + row * contraction->a_row;
        int64_t start = initial ? initial[row] : 0;
        for (int64_t at = 0; at < contraction->strip_count; at++) {
            const struct cp_strip *strip = &contraction->strips[at];
            int64_t first = row * contraction->out_row + strip->out;
            int64_t fits = strip->count;
            if (cp_stopped(stop)) return CP_CONTRACT_STOPPED;
            if (bounded)
                sum_bounded(contraction, weights, b + strip->b, start, strip->count, sum);
            else
                fits = sum_exactly(contraction, weights, b + strip->b, start, strip->count, sum);
            if (fits < strip->count) {
                *overflow = first + fits * contraction->out_step;
                return CP_CONTRACT_OVERFLOW;
            }
            for (int64_t lane = 0; lane < strip->count; lane++) out[first + lane * contraction->out_step] = sum[lane];
        }
    }
    return CP_CONTRACT_DONE;
}
