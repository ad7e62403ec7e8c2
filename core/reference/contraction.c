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
    double *partial;        /* [strip][row][lane]: the sums between two stretches */
    bool is_first, is_last; /* stretch of its sums */
    const struct cp_strip *strips;
    const int64_t *b_tap;
    int64_t strip_count;
    int64_t outer, taps, b_outer;
    int64_t out_row, out_step;
    int rows;
};

#define CP_MOST_LANES 8
#define CP_TILE_ROWS 8
#define CP_TILE_WIDTH 8

#if defined(__clang__)
#define CP_UNROLL _Pragma("clang loop unroll(full)")
#else
#define CP_UNROLL _Pragma("GCC unroll 8")
#endif

/* ---- Portable: two lanes, which compilers make vectors of where the baseline has a vector fma -------------------- */

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
#define CP_TARGET
#define CP_LANES 2
#define CP_VECTOR struct pair
#define CP_LOAD(p) ((struct pair){{(p)[0], (p)[1]}})
#define CP_SPLAT(x) ((struct pair){{(x), (x)}})
#define CP_FMA(a, b, c) pair_fma(a, b, c)
#define CP_STORE(p, x) memcpy((p), (x).at, sizeof(x).at)
#define CP_CLEAN(x) pair_clean(x)
#define CP_WIDE_FILE 1
#include "core/reference/contraction_tile.h"

#if defined(__x86_64__)

/* ---- AVX2 with FMA ------------------------------------------------------------------------------------------------ */

#define CP_TILE(name) name##_avx2
#define CP_TARGET __attribute__((target("avx2,fma")))
#define CP_LANES 4
#define CP_VECTOR __m256d
#define CP_LOAD(p) _mm256_loadu_pd(p)
#define CP_SPLAT(x) _mm256_set1_pd(x)
#define CP_FMA(a, b, c) _mm256_fmadd_pd(a, b, c)
#define CP_STORE(p, x) _mm256_storeu_pd(p, x)
#define CP_CLEAN(x) _mm256_blendv_pd(x, _mm256_set1_pd((double)NAN), _mm256_cmp_pd(x, x, _CMP_UNORD_Q))
#define CP_WIDE_FILE 0
#include "core/reference/contraction_tile.h"

/* ---- AVX-512 ------------------------------------------------------------------------------------------------------ */

#define CP_TILE(name) name##_avx512
#define CP_TARGET __attribute__((target("avx512f")))
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

/* ---- Dispatch ----------------------------------------------------------------------------------------------------- */

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
    [CP_INSTRUCTIONS_PORTABLE] = {"portable", have_portable, run_portable, 2, 8},
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

/* ---- float64 ------------------------------------------------------------------------------------------------------ */

/* Strips that are done for every row before the next ones: their part of b then stays in the cache. */
#define STRIPS_AT_ONCE 24

/* Terms that are added to all sums of a block before the next ones, so that their packed part of a stays in the first
 * level of the cache: 192 terms of 8 rows are 12 KiB. */
#define TERMS_AT_ONCE 192

/* Rows of the next block: a size that the variants have a tile for. */
static int block_rows(int64_t rows_left, int most)
{
    if (rows_left >= most) return most;
    return rows_left >= 4 ? 4 : (int)rows_left;
}

/* One block of rows as [outer][tap][row], so that the kernel reads its weights in one stream. */
static void pack_block(const struct cp_contraction *contraction, const double *a, int rows, double *packed)
{
    for (int64_t outer = 0; outer < contraction->outer; outer++) {
        for (int64_t tap = 0; tap < contraction->taps; tap++) {
            const double *column = a + outer * contraction->a_outer + contraction->a_tap[tap];
            for (int row = 0; row < rows; row++) *packed++ = column[row * contraction->a_row];
        }
    }
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

/* Run a block over some strips, stretch by stretch: whole outers where several fit, else parts of one. */
static void run_block(const struct cp_contraction *contraction, const struct variant *variant, struct tile_job *job,
                      const double *packed, const double *b)
{
    int64_t taps = contraction->taps, outer = contraction->outer, depth = outer * taps;
    int64_t stretches = depth / TERMS_AT_ONCE + 1;
    int64_t outers_at_once = taps >= TERMS_AT_ONCE ? 1 : (outer + stretches - 1) / stretches;
    int64_t taps_at_once = taps >= TERMS_AT_ONCE ? TERMS_AT_ONCE : taps;
    job->is_first = true;
    for (int64_t at = 0, tap = 0; at < outer || job->is_first;) {
        job->outer = outer - at < outers_at_once ? outer - at : outers_at_once;
        job->taps = taps - tap < taps_at_once ? taps - tap : taps_at_once;
        job->packed = packed + (at * taps + tap) * job->rows;
        job->b = b + at * contraction->b_outer;
        job->b_tap = contraction->b_tap + tap;
        tap += job->taps;
        if (tap == taps) {
            at += job->outer;
            tap = 0;
        }
        job->is_last = at == outer;
        variant->run(job);
        job->is_first = false;
    }
}

bool cp_contract_float64(const struct cp_contraction *contraction, enum cp_instruction_set instructions,
                         const double *a, const double *b, const double *initial, double *packed, double *out,
                         struct cp_stop stop)
{
    const struct variant *variant = variant_of(instructions);
    double partial[STRIPS_AT_ONCE * CP_TILE_ROWS * CP_MOST_LANES];
    struct tile_job job = {.b_outer = contraction->b_outer, .out_row = contraction->out_row,
                           .out_step = contraction->out_step, .partial = partial};
    pack(contraction, a, variant->most_rows, packed);
    for (int64_t at = 0; at < contraction->strip_count; at += STRIPS_AT_ONCE) {
        int64_t left = contraction->strip_count - at;
        job.strips = contraction->strips + at;
        job.strip_count = left < STRIPS_AT_ONCE ? left : STRIPS_AT_ONCE;
        for (int64_t row = 0; row < contraction->rows; row += job.rows) {
            if (cp_stopped(stop)) return false;
            job.rows = block_rows(contraction->rows - row, variant->most_rows);
            job.initial = initial ? initial + row : NULL;
            job.out = out + row * contraction->out_row;
            run_block(contraction, variant, &job, packed + row * contraction->outer * contraction->taps, b);
        }
    }
    return true;
}

/* ---- int64 -------------------------------------------------------------------------------------------------------- */

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
