/* The reference convolution's speed, one thread, binary64, forward and transposed, beside the multiply-add peak that
 * this core reaches in the same run. Each figure is the best of many short runs spread over the whole time, so that a
 * busy neighbour disturbs all of them alike.
 *
 *     bench_reference [seconds] [portable | avx2 | avx512]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/reference/reference.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

struct bench_case {
    const char *name;
    int64_t channels, size, out_channels, kernel, stride, padding, groups;
};

static const struct bench_case cases[] = {
    {"guide-5x5", 1, 5, 1, 3, 1, 0, 1},      {"mnist-5x5", 1, 28, 1, 5, 1, 2, 1},
    {"cifar-first", 3, 32, 16, 3, 1, 1, 1},  {"strided", 16, 32, 32, 3, 2, 1, 1},
    {"large", 64, 56, 64, 3, 1, 1, 1},       {"depthwise", 32, 56, 32, 3, 1, 1, 32},
    {"pointwise", 256, 14, 256, 1, 1, 0, 1},
};

enum { CASE_COUNT = sizeof cases / sizeof cases[0], PEAK_STEPS = 20000, PEAK_SUMS = 24 };

static double now_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- The peak ---------------------------------------------------------------------------------------------------- */

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 24")
#endif

static volatile double sink;

#define PEAK(name, attribute, vector, lanes, splat, multiply_add)                                                      \
    attribute static double name(void)                                                                                 \
    {                                                                                                                  \
        vector sum[PEAK_SUMS], factor = splat(0.999), term = splat(1e-9);                                              \
        double start = now_seconds();                                                                                  \
        UNROLL for (int i = 0; i < PEAK_SUMS; i++) sum[i] = splat(i);                                                  \
        for (int step = 0; step < PEAK_STEPS; step++) {                                                                \
            UNROLL for (int i = 0; i < PEAK_SUMS; i++) sum[i] = multiply_add(sum[i], factor, term);                    \
        }                                                                                                              \
        double seconds = now_seconds() - start;                                                                        \
        double parts[lanes];                                                                                           \
        for (int i = 0; i < PEAK_SUMS; i++) {                                                                          \
            memcpy(parts, &sum[i], sizeof parts);                                                                      \
            sink = parts[0];                                                                                           \
        }                                                                                                              \
        return 2.0 * PEAK_STEPS * PEAK_SUMS * (lanes) / seconds / 1e9;                                                 \
    }

PEAK(peak_portable, , double, 1, (double), __builtin_fma)
#if defined(__x86_64__)
PEAK(peak_avx2, __attribute__((target("avx2,fma"))), __m256d, 4, _mm256_set1_pd, _mm256_fmadd_pd)
PEAK(peak_avx512, __attribute__((target("avx512f"))), __m512d, 8, _mm512_set1_pd, _mm512_fmadd_pd)
#endif

static double peak_gflops(const char *instructions)
{
#if defined(__x86_64__)
    if (strcmp(instructions, "avx512") == 0) return peak_avx512();
    if (strcmp(instructions, "avx2") == 0) return peak_avx2();
#endif
    (void)instructions;
    return peak_portable();
}

/* ---- The cases --------------------------------------------------------------------------------------------------- */

static void *no_more(struct cp_arena *arena, size_t size, size_t *given)
{
    (void)arena, (void)size, (void)given;
    return NULL;
}

static __attribute__((noreturn)) void exhausted(struct cp_arena *arena)
{
    (void)arena;
    fputs("bench_reference: out of memory\n", stderr);
    exit(1);
}

static double *random_values(int64_t count)
{
    double *values = malloc((size_t)count * sizeof *values);
    if (!values) exit(1);
    for (int64_t i = 0; i < count; i++) values[i] = (double)rand() / RAND_MAX - 0.5;
    return values;
}

struct run {
    struct cp_reference reference;
    struct cp_tensor input, weight;
    int64_t macs;
    double best_seconds;
};

static void set_up(struct run *run, const struct bench_case *row, bool transposed, enum cp_instruction_set instructions)
{
    struct cp_shape big = {4, {1, row->channels, row->size, row->size}};
    struct cp_window window = {row->kernel, row->stride, 1, row->padding, row->padding, CP_ROUND_FLOOR};
    int64_t size = 0;
    if (cp_window_output(&window, row->size, &size) != CP_WINDOW_OK) exit(1);
    struct cp_shape small = {4, {1, row->out_channels, size, size}};
    struct cp_shape weight = {4, {row->out_channels, row->channels / row->groups, row->kernel, row->kernel}};
    int64_t rest = cp_window_remainder(&window, row->size);
    run->input = (struct cp_tensor){transposed ? small : big, CP_FLOAT64, NULL};
    run->weight = (struct cp_tensor){weight, CP_FLOAT64, NULL};
    run->input.data = random_values(cp_tensor_count(&run->input));
    run->weight.data = random_values(cp_tensor_count(&run->weight));
    run->reference =
        (struct cp_reference){.operation = {.kind = transposed ? CP_TRANSPOSED_CONVOLUTION : CP_CONVOLUTION,
                                            .axes = 2,
                                            .window = {window, window},
                                            .groups = row->groups,
                                            .out_channels = transposed ? row->channels : row->out_channels,
                                            .output_padding = {transposed ? rest : 0, transposed ? rest : 0}},
                              .input_shape = run->input.shape,
                              .input = &run->input,
                              .weight = &run->weight,
                              .instructions = instructions};
    struct cp_reference_cost cost;
    if (!cp_reference_cost(&run->reference, &cost)) exit(1);
    run->macs = cost.macs;
    run->best_seconds = 1e9;
}

static void measure(struct run *run, struct cp_arena arena)
{
    int repeats = (int)(2e6 / (double)(run->macs + 2000)) + 1;
    double start = now_seconds();
    for (int i = 0; i < repeats; i++) {
        struct cp_arena fresh = arena;
        struct cp_tensor result;
        if (cp_reference_compute(&run->reference, &fresh, &result).code != CP_REFERENCE_OK) exit(1);
        sink = *(double *)result.data;
    }
    double seconds = (now_seconds() - start) / repeats;
    if (seconds < run->best_seconds) run->best_seconds = seconds;
}

static enum cp_instruction_set instructions_named(const char *name)
{
    for (int i = 1; i < CP_INSTRUCTION_SET_COUNT; i++)
        if (strcmp(cp_instructions_name((enum cp_instruction_set)i), name) == 0) return (enum cp_instruction_set)i;
    fprintf(stderr, "bench_reference: no instruction set %s\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    static struct run runs[CASE_COUNT][2];
    enum { ARENA_BYTES = 64 << 20 };
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    enum cp_instruction_set instructions = argc > 2 ? instructions_named(argv[2]) : CP_INSTRUCTIONS_BEST;
    unsigned char *memory = malloc(ARENA_BYTES);
    if (!memory) exit(1);
    memset(memory, 1, ARENA_BYTES);
    struct cp_arena arena = {.next = memory, .end = memory + ARENA_BYTES, .more = no_more, .exhausted = exhausted};
    for (int row = 0; row < CASE_COUNT; row++)
        for (int way = 0; way < 2; way++) set_up(&runs[row][way], &cases[row], way == 1, instructions);
    double peak = 0;
    for (double end = now_seconds() + seconds; now_seconds() < end;) {
        double gflops = peak_gflops(cp_instructions_name(instructions));
        if (gflops > peak) peak = gflops;
        for (int row = 0; row < CASE_COUNT; row++)
            for (int way = 0; way < 2; way++) measure(&runs[row][way], arena);
    }
    printf("%s: multiply-add peak %.1f GFLOP/s\n", cp_instructions_name(instructions), peak);
    printf("%-12s %12s %10s %6s %14s %10s %6s\n", "row", "forward us", "GFLOP/s", "peak", "transposed us", "GFLOP/s",
           "peak");
    for (int row = 0; row < CASE_COUNT; row++) {
        double us[2], gflops[2];
        for (int way = 0; way < 2; way++) {
            us[way] = runs[row][way].best_seconds * 1e6;
            gflops[way] = 2e-9 * (double)runs[row][way].macs / runs[row][way].best_seconds;
        }
        printf("%-12s %12.2f %10.2f %5.0f%% %14.2f %10.2f %5.0f%%\n", cases[row].name, us[0], gflops[0],
               100 * gflops[0] / peak, us[1], gflops[1], 100 * gflops[1] / peak);
    }
    return 0;
}
