/* The reference convolution's speed, one thread, binary64, beside the multiply-add peak of this core.
 *
 *     bench_reference [portable | avx2 | avx512]
 *
 * Answers each line of standard input with one line:
 *     peak                                          GFLOP/s of multiply-adds in registers
 *     n c h w oc k s p g forward | transposed       seconds of processor time of one call, and its multiply-adds
 *     base64 BYTES                                  seconds of processor time to encode, and to decode, random bytes
 * where n … g are a convolution's parameters as in conv_cases.json; `transposed` is its transpose, from the output's
 * shape back. Each figure is the best of several short runs. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/reference/reference.h"
#include "server/json/base64.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { PEAK_STEPS = 20000, PEAK_RUNS = 5, PEAK_SUMS = 24, ARENA_BYTES = 64 << 20 };

/* Processor time of one answer, and the least of one run. */
static const double answer_seconds = 0.04, run_seconds = 0.002;

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

/* ---- The convolutions -------------------------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is the arena's */
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

struct question {
    int64_t n, c, h, w, oc, k, s, p, g;
    bool transposed;
};

struct subject {
    struct cp_reference reference;
    struct cp_tensor input, weight;
    int64_t macs;
};

static int64_t output_size(const struct cp_window *window, int64_t size)
{
    int64_t output = 0;
    if (cp_window_output(window, size, &output) != CP_WINDOW_OK) exit(1);
    return output;
}

static void set_up(struct subject *subject, const struct question *ask, enum cp_instruction_set instructions)
{
    struct cp_window window = {ask->k, ask->s, 1, ask->p, ask->p, CP_ROUND_FLOOR};
    struct cp_shape big = {4, {ask->n, ask->c, ask->h, ask->w}};
    struct cp_shape small = {4, {ask->n, ask->oc, output_size(&window, ask->h), output_size(&window, ask->w)}};
    struct cp_shape weight = {4, {ask->oc, ask->c / ask->g, ask->k, ask->k}};
    subject->input = (struct cp_tensor){ask->transposed ? small : big, CP_FLOAT64, NULL};
    subject->weight = (struct cp_tensor){weight, CP_FLOAT64, NULL};
    subject->input.data = random_values(cp_tensor_count(&subject->input));
    subject->weight.data = random_values(cp_tensor_count(&subject->weight));
    subject->reference = (struct cp_reference){.operation = {.kind = CP_CONVOLUTION,
                                                             .axes = 2,
                                                             .window = {window, window},
                                                             .groups = ask->g,
                                                             .out_channels = ask->oc},
                                               .input_shape = subject->input.shape,
                                               .input = &subject->input,
                                               .weight = &subject->weight,
                                               .instructions = instructions};
    if (ask->transposed) {
        struct cp_operation *operation = &subject->reference.operation;
        operation->kind = CP_TRANSPOSED_CONVOLUTION;
        operation->out_channels = ask->c;
        operation->output_padding[0] = cp_window_remainder(&window, ask->h);
        operation->output_padding[1] = cp_window_remainder(&window, ask->w);
    }
    struct cp_reference_cost cost;
    if (!cp_reference_cost(&subject->reference, &cost)) exit(1);
    subject->macs = cost.macs;
}

/* ---- Base64 ------------------------------------------------------------------------------------------------------ */

struct text {
    double *bytes;
    size_t size;
    char *characters;
};

static void encode(const void *context, struct cp_arena arena)
{
    const struct text *text = context;
    (void)arena;
    cp_base64_encode(text->bytes, text->size, text->characters);
}

static void decode(const void *context, struct cp_arena arena)
{
    const struct text *text = context;
    size_t wrong;
    (void)arena;
    if (!cp_base64_decode(text->characters, text->bytes, text->size, &wrong)) exit(1);
}

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

static void compute(const void *context, struct cp_arena arena)
{
    const struct subject *subject = context;
    struct cp_tensor result;
    if (cp_reference_compute(&subject->reference, &arena, &result).code != CP_REFERENCE_OK) exit(1);
    sink = *(double *)result.data;
}

static double seconds_of(void (*call)(const void *, struct cp_arena), const void *context, struct cp_arena arena,
                         int repeats)
{
    double start = now_seconds();
    for (int i = 0; i < repeats; i++) call(context, arena);
    return (now_seconds() - start) / repeats;
}

static double best_seconds(void (*call)(const void *, struct cp_arena), const void *context, struct cp_arena arena)
{
    double best = seconds_of(call, context, arena, 1);
    int repeats = 1;
    for (double end = now_seconds() + answer_seconds; now_seconds() < end;) {
        double seconds = seconds_of(call, context, arena, repeats);
        if (seconds < best) best = seconds;
        if (seconds * repeats < run_seconds) repeats *= 2;
    }
    return best;
}

static void answer_peak(enum cp_instruction_set instructions)
{
    double peak = 0;
    for (int i = 0; i < PEAK_RUNS; i++) {
        double gflops = peak_gflops(cp_instructions_name(instructions));
        if (gflops > peak) peak = gflops;
    }
    printf("%.2f\n", peak);
}

static void answer_base64(size_t size, struct cp_arena arena)
{
    struct text text = {random_values((int64_t)size / 8 + 1), size, malloc(cp_base64_size(size))};
    if (!text.characters) exit(1);
    double encoding = best_seconds(encode, &text, arena);
    printf("%.9f %.9f\n", encoding, best_seconds(decode, &text, arena));
    free(text.bytes);
    free(text.characters);
}

static void answer_convolution(const char *line, struct cp_arena arena, enum cp_instruction_set instructions)
{
    struct question ask = {.transposed = strstr(line, "transposed") != NULL};
    int64_t *const numbers[] = {&ask.n, &ask.c, &ask.h, &ask.w, &ask.oc, &ask.k, &ask.s, &ask.p, &ask.g};
    struct subject subject;
    char *rest = (char *)line;
    for (size_t at = 0; at < sizeof numbers / sizeof numbers[0]; at++) *numbers[at] = strtoll(rest, &rest, 10);
    set_up(&subject, &ask, instructions);
    printf("%.9f %" PRId64 "\n", best_seconds(compute, &subject, arena), subject.macs);
    free(subject.input.data);
    free(subject.weight.data);
}

static void answer(const char *line, struct cp_arena arena, enum cp_instruction_set instructions)
{
    if (strncmp(line, "peak", 4) == 0)
        answer_peak(instructions);
    else if (strncmp(line, "base64 ", 7) == 0)
        answer_base64(strtoul(line + 7, NULL, 10), arena);
    else
        answer_convolution(line, arena, instructions);
    fflush(stdout);
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
    enum cp_instruction_set instructions = argc > 1 ? instructions_named(argv[1]) : CP_INSTRUCTIONS_BEST;
    unsigned char *memory = malloc(ARENA_BYTES);
    if (!memory) exit(1);
    memset(memory, 1, ARENA_BYTES);
    struct cp_arena arena = {.next = memory, .end = memory + ARENA_BYTES, .more = no_more, .exhausted = exhausted};
    char line[256];
    while (fgets(line, sizeof line, stdin)) answer(line, arena, instructions);
    return 0;
}
