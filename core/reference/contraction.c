#include "core/reference/contraction.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/reference/exact.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* What one call of a kernel variant does: a stretch of the terms of a block of 1 … 8 rows over some strips. */
struct tile_job {
    const double *packed; /* [term][row] */
    const double *b;
    const int64_t *b_term;
    int64_t terms;
    const struct cp_strip *strips;
    int64_t strip_count;
    int rows;
    bool is_first; /* stretch of its sums: they start at `initial`, not at `partial` */
    bool is_last;
    bool is_plain; /* the last stretch, and every strip is a full vector of neighbours in `out`: written there */
    const double *initial; /* of the block's first row; NULL: +0 */
    double *partial;       /* [strip][row][lane]: the sums between two stretches, or before they are dealt out */
    double *out;
    int64_t out_row, out_step;
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

static inline __attribute__((always_inline)) void pair_store(double *p, struct pair x, int64_t step)
{
    p[0] = x.at[0];
    p[step] = x.at[1];
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
#define CP_ADD(a, b) ((struct pair){{(a).at[0] + (b).at[0], (a).at[1] + (b).at[1]}})
#define CP_FMA(a, b, c) pair_fma(a, b, c)
#define CP_STORE(p, x) pair_store(p, x, 1)
#define CP_STORE_APART(p, x) pair_store(p, x, 2)
#define CP_CLEAN(x) pair_clean(x)
#define CP_HAS_NAN(x) ((x).at[0] != (x).at[0] || (x).at[1] != (x).at[1])
#define CP_WIDE_FILE PORTABLE_IS_WIDE
#include "core/reference/contraction_tile.h"

#if defined(__x86_64__)

/* ---- AVX2 with FMA ----------------------------------------------------------------------------------------------- */

__attribute__((target("avx2,fma"), always_inline)) static inline void store_apart_avx2(double *p, __m256d x)
{
    const __m256i even = _mm256_set_epi64x(0, -1, 0, -1);
    _mm256_maskstore_pd(p, even, _mm256_permute4x64_pd(x, 0x10));
    _mm256_maskstore_pd(p + 4, even, _mm256_permute4x64_pd(x, 0x32));
}

#define CP_TILE(name) name##_avx2
#define CP_TARGET __attribute__((target("avx2,fma"))) CP_UNCHECKED
#define CP_LANES 4
#define CP_VECTOR __m256d
#define CP_LOAD(p) _mm256_loadu_pd(p)
#define CP_SPLAT(x) _mm256_set1_pd(x)
#define CP_ADD(a, b) _mm256_add_pd(a, b)
#define CP_FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define CP_STORE(p, x) _mm256_storeu_pd(p, x)
#define CP_STORE_APART(p, x) store_apart_avx2(p, x)
#define CP_CLEAN(x) _mm256_blendv_pd(x, _mm256_set1_pd((double)NAN), _mm256_cmp_pd(x, x, _CMP_UNORD_Q))
#define CP_HAS_NAN(x) (_mm256_movemask_pd(_mm256_cmp_pd(x, x, _CMP_UNORD_Q)) != 0)
#define CP_WIDE_FILE 0
#include "core/reference/contraction_tile.h"

/* ---- AVX-512 ----------------------------------------------------------------------------------------------------- */

__attribute__((target("avx512f"), always_inline)) static inline void store_apart_avx512(double *p, __m512d x)
{
    const __m512i low = _mm512_set_epi64(3, 3, 2, 2, 1, 1, 0, 0), high = _mm512_set_epi64(7, 7, 6, 6, 5, 5, 4, 4);
    _mm512_mask_storeu_pd(p, 0x55, _mm512_permutexvar_pd(low, x));
    _mm512_mask_storeu_pd(p + 8, 0x55, _mm512_permutexvar_pd(high, x));
}

#define CP_TILE(name) name##_avx512
#define CP_TARGET __attribute__((target("avx512f"))) CP_UNCHECKED
#define CP_LANES 8
#define CP_VECTOR __m512d
#define CP_LOAD(p) _mm512_loadu_pd(p)
#define CP_SPLAT(x) _mm512_set1_pd(x)
#define CP_ADD(a, b) _mm512_add_pd(a, b)
#define CP_FMA(a, b, c) _mm512_fmadd_pd(a, b, c)
#define CP_STORE(p, x) _mm512_storeu_pd(p, x)
#define CP_STORE_APART(p, x) store_apart_avx512(p, x)
#define CP_CLEAN(x) _mm512_mask_mov_pd(x, _mm512_cmp_pd_mask(x, x, _CMP_UNORD_Q), _mm512_set1_pd((double)NAN))
#define CP_HAS_NAN(x) (_mm512_cmp_pd_mask(x, x, _CMP_UNORD_Q) != 0)
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
 * stream. Between two stretches the sums wait in memory, which changes nothing about their order. */
enum {
    TERMS_AT_ONCE = 160,      /* 3 strips: 30 KiB of b without overlap, a third of that with a 3 × 3 kernel */
    STRIPS_AT_ONCE = 3,       /* the width of the tallest tile; more, the fewer terms there are */
    STRIPS_OF_ONE_BLOCK = 24, /* where no second block of rows would read b again; a multiple of all widths but one */
    STRIPS_UNTIL_STOP = 768,  /* of those, where nothing waits in memory */
};

int64_t cp_contraction_scratch(int64_t rows, int64_t terms)
{
    return rows * terms + CP_MOST_LANES * (STRIPS_AT_ONCE * rows + STRIPS_OF_ONE_BLOCK * CP_TILE_ROWS);
}

/* Rows of the next block: a size that the variants have a tile for. */
static int block_rows(int64_t rows_left, int most)
{
    if (rows_left >= most) return most;
    return rows_left >= 4 ? 4 : (int)rows_left;
}

/* One block of rows as [term][row], so that the kernel reads its weights in one stream. */
static inline __attribute__((always_inline)) void pack_rows(const struct cp_contraction *contraction, const double *a,
                                                            const int rows, double *restrict packed)
{
    int64_t stride = contraction->a_row, terms = contraction->terms;
    const int64_t *a_term = contraction->a_term;
    for (int64_t term = 0; term < terms; term++, packed += rows) {
        const double *column = a + a_term[term];
        CP_UNROLL for (int row = 0; row < rows; row++) packed[row] = column[row * stride];
    }
}

static void pack(const struct cp_contraction *contraction, const double *a, int most_rows, double *packed)
{
    for (int64_t row = 0; row < contraction->rows;) {
        int rows = block_rows(contraction->rows - row, most_rows);
        const double *block = a + row * contraction->a_row;
        if (rows == CP_TILE_ROWS)
            pack_rows(contraction, block, CP_TILE_ROWS, packed); /* the usual case, unrolled */
        else
            pack_rows(contraction, block, rows, packed);
        packed += rows * contraction->terms;
        row += rows;
    }
}

/* Deal the finished sums of a block out to their places. */
static void deal_out(const struct tile_job *job, int lanes)
{
    const double *restrict sums = job->partial;
    int64_t step = job->out_step;
    for (int64_t strip = 0; strip < job->strip_count; strip++) {
        int64_t count = job->strips[strip].count;
        for (int row = 0; row < job->rows; row++, sums += lanes) {
            double *restrict out = job->out + row * job->out_row + job->strips[strip].out;
            if (count == CP_MOST_LANES) { /* the usual case, unrolled */
                CP_UNROLL for (int lane = 0; lane < CP_MOST_LANES; lane++) out[lane * step] = sums[lane];
                continue;
            }
            for (int64_t lane = 0; lane < count; lane++) out[lane * step] = sums[lane];
        }
    }
}

/* Can tiles write their sums to their places by themselves? */
static bool strips_are_plain(const struct cp_contraction *contraction, int lanes)
{
    for (int64_t strip = 0; strip < contraction->strip_count; strip++)
        if (contraction->strips[strip].count != lanes) return false;
    return contraction->out_step <= 2;
}

/* One call of cp_contract_float64. */
struct work {
    const struct cp_contraction *contraction;
    const struct variant *variant;
    const double *packed, *b, *initial;
    double *partial, *out;
    bool plain; /* strips */
    struct cp_stop stop;
};

/* Add the terms from `first` on to every row of the job's strips, and finish the sums when these are the last ones. */
static bool run_stretch(const struct work *work, struct tile_job *job, int64_t first)
{
    const struct cp_contraction *contraction = work->contraction;
    bool only = job->is_first && job->is_last;
    job->b_term = contraction->b_term + first;
    for (int64_t row = 0; row < contraction->rows; row += job->rows) {
        if (cp_stopped(work->stop)) return false;
        job->rows = block_rows(contraction->rows - row, work->variant->most_rows);
        job->packed = work->packed + row * contraction->terms + first * job->rows;
        job->initial = work->initial ? work->initial + row : NULL;
        job->partial = work->partial + (only ? 0 : row * job->strip_count * work->variant->lanes);
        job->out = work->out + row * contraction->out_row;
        work->variant->run(job);
        if (job->is_last && !job->is_plain) deal_out(job, work->variant->lanes);
    }
    return true;
}

static bool run_strips(const struct work *work, const struct cp_strip *strips, int64_t count)
{
    const struct cp_contraction *contraction = work->contraction;
    int64_t terms = contraction->terms, stretches = terms / TERMS_AT_ONCE + 1;
    int64_t step = terms / stretches + 1, first = 0;
    struct tile_job job = {.b = work->b,
                           .strips = strips,
                           .strip_count = count,
                           .out_row = contraction->out_row,
                           .out_step = contraction->out_step};
    do {
        job.terms = terms - first < step ? terms - first : step;
        job.is_first = first == 0;
        job.is_last = first + job.terms == terms;
        job.is_plain = job.is_last && work->plain;
        if (!run_stretch(work, &job, first)) return false;
        first += job.terms;
    } while (first < terms);
    return true;
}

static int64_t strips_at_once(const struct work *work)
{
    int64_t terms = work->contraction->terms;
    if (work->contraction->rows <= work->variant->most_rows)
        return work->plain && terms < TERMS_AT_ONCE ? STRIPS_UNTIL_STOP : STRIPS_OF_ONE_BLOCK;
    int64_t times = TERMS_AT_ONCE / (terms + 1);
    if (times * STRIPS_AT_ONCE > STRIPS_OF_ONE_BLOCK) return STRIPS_OF_ONE_BLOCK;
    return times > 1 ? times * STRIPS_AT_ONCE : STRIPS_AT_ONCE;
}

/* NOLINTBEGIN(readability-non-const-parameter): `out` is written to through the jobs */
bool cp_contract_float64(const struct cp_contraction *contraction, enum cp_instruction_set instructions,
                         const double *a, const double *b, const double *initial, double *scratch, double *out,
                         struct cp_stop stop)
{
    const struct variant *variant = variant_of(instructions);
    struct work work = {.contraction = contraction,
                        .variant = variant,
                        .packed = scratch,
                        .b = b,
                        .initial = initial,
                        .partial = scratch + contraction->rows * contraction->terms,
                        .out = out,
                        .plain = strips_are_plain(contraction, variant->lanes),
                        .stop = stop};
    int64_t at_once = strips_at_once(&work);
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
    for (int64_t term = 0; term < contraction->terms; term++) {
        int64_t w = a[contraction->a_term[term]];
        const int64_t *x = b + contraction->b_term[term];
        for (int64_t lane = 0; lane < count; lane++) sum[lane] += w * x[lane];
    }
}

/* The number of leading lanes whose sum fits. */
static int64_t sum_exactly(const struct cp_contraction *contraction, const int64_t *a, const int64_t *b,
                           int64_t initial, int64_t count, int64_t *restrict sum)
{
    struct cp_exact exact[CP_CONTRACTION_INTEGER_LANES];
    for (int64_t lane = 0; lane < count; lane++) exact[lane] = cp_exact_start(initial);
    for (int64_t term = 0; term < contraction->terms; term++) {
        int64_t w = a[contraction->a_term[term]];
        const int64_t *x = b + contraction->b_term[term];
        for (int64_t lane = 0; lane < count; lane++) cp_exact_add(&exact[lane], w, x[lane]);
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
