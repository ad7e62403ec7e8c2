/* /v1/sizes: the exact set of sizes that work, measured in plannings of the same stack: how many shapes-only plannings
 * take as long. One row per network, so that it is seen how the cost grows with period and depth. Times are of this
 * thread's processor time, the best of many.
 *
 *     bench_sizes [seconds] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/memory.h"
#include "server/symbolic_inputs.h"

#define LIMIT_BYTES ((size_t)1 << 30)

static double now_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static __attribute__((noreturn)) void fail(const char *what)
{
    fprintf(stderr, "bench_sizes: %s\n", what);
    abort();
}

/* ---- Networks ----------------------------------------------------------------------------------------------------- */

struct network {
    const char *name;
    void (*write)(FILE *file, int levels);
    int levels;
    double most; /* plannings that the figure may take; 0: no figure is set */
};

static void write_block(FILE *file, const char *name, int level)
{
    fputs("{\"type\":\"Conv2d\",\"out_channels\":8,\"kernel_size\":3,\"padding\":1},{\"type\":\"ReLU\"},"
          "{\"type\":\"Conv2d\",\"out_channels\":8,\"kernel_size\":3,\"padding\":1},",
          file);
    fprintf(file, "{\"type\":\"ReLU\",\"name\":\"%s%d\"}", name, level);
}

/* Padded, with pools and skips: n ≡ 0 (mod 2^levels). */
static void write_unet(FILE *file, int levels)
{
    fputs("{\"input\":[1,3,\"n\",\"n\"],\"layers\":[", file);
    for (int level = 0; level < levels; level++) {
        write_block(file, "skip", level);
        fputs(",{\"type\":\"MaxPool2d\",\"kernel_size\":2},", file);
    }
    write_block(file, "bottom", 0);
    for (int level = levels - 1; level >= 0; level--) {
        fprintf(file,
                ",{\"type\":\"ConvTranspose2d\",\"out_channels\":8,\"kernel_size\":2,\"stride\":2,\"name\":\"up%d\"},"
                "{\"type\":\"Concat\",\"from\":[\"skip%d\",\"up%d\"]},",
                level, level, level);
        write_block(file, "block", level);
    }
    fputs("]}", file);
}

/* Encoder and decoder of stride 2: n ≡ 1 (mod 2^levels). */
static void write_pair(FILE *file, int levels)
{
    fputs("{\"input\":[1,3,\"n\",\"n\"],\"encoder\":[", file);
    for (int level = 0; level < levels; level++)
        fprintf(file, "%s{\"type\":\"Conv2d\",\"out_channels\":8,\"kernel_size\":3,\"stride\":2,\"padding\":1}",
                level ? "," : "");
    fputs("],\"decoder\":[", file);
    for (int level = 0; level < levels; level++)
        fprintf(file,
                "%s{\"type\":\"ConvTranspose2d\",\"out_channels\":8,\"kernel_size\":3,\"stride\":2,\"padding\":1}",
                level ? "," : "");
    fputs("]}", file);
}

/* One halving with a skip around it, then as many residual blocks: depth without a longer period. */
static void write_deep(FILE *file, int blocks)
{
    fputs("{\"input\":[1,8,\"n\",\"n\"],\"layers\":[{\"type\":\"MaxPool2d\",\"kernel_size\":2},"
          "{\"type\":\"Upsample\",\"scale_factor\":2},{\"type\":\"Add\",\"from\":[\"input\",\"upsample_1\"],"
          "\"name\":\"sum0\"}",
          file);
    for (int block = 0; block < blocks; block++) {
        fputs(",", file);
        write_block(file, "body", block);
        fprintf(file, ",{\"type\":\"Add\",\"from\":[\"sum%d\",\"body%d\"],\"name\":\"sum%d\"}", block, block,
                block + 1);
    }
    fputs("]}", file);
}

static const struct network networks[] = {
    {"padded U-Net", write_unet, 1, 0}, {"padded U-Net", write_unet, 2, 0}, {"padded U-Net", write_unet, 4, 100},
    {"padded U-Net", write_unet, 6, 0}, {"pair", write_pair, 2, 0},         {"pair", write_pair, 5, 0},
    {"pair", write_pair, 10, 3000},     {"pair", write_pair, 14, 0},        {"residual", write_deep, 10, 0},
    {"residual", write_deep, 100, 0},   {"residual", write_deep, 1000, 0},
};

/* ---- Measuring ---------------------------------------------------------------------------------------------------- */

struct subject {
    struct cp_memory memory; /* of the stack */
    struct cp_stack stack;
    struct cp_symbols symbols;
    struct cp_sizes_question question;
    struct cp_valid_sizes sizes;
};

static void read_subject(struct subject *subject, const struct network *network)
{
    struct cp_reader reader;
    struct cp_text text;
    char *bytes;
    FILE *file = open_memstream(&bytes, &text.size);
    if (!file) fail("out of memory");
    network->write(file, network->levels);
    fclose(file);
    text.bytes = bytes;
    cp_memory_open(&subject->memory, NULL, LIMIT_BYTES, NULL);
    cp_reader_begin(&reader, &subject->memory.arena);
    const struct cp_json *json = cp_read_body(&reader, text);
    if (!json) fail("no JSON");
    subject->stack = (struct cp_stack){.element_bytes = 4};
    cp_read_symbolic_inputs(&reader, json, &subject->stack, &subject->symbols);
    if (cp_json_member(json, CP_TEXT("layers")))
        cp_read_layers(&reader, json, "layers", &subject->stack);
    else
        cp_read_encoder_and_decoder(&reader, json, &subject->stack);
    if (reader.problems.count) fail("a network cannot be read");
    subject->question =
        (struct cp_sizes_question){&subject->stack, subject->symbols.at, subject->symbols.count, CP_MAX_SIZES_STEPS};
}

static void find_once(struct subject *subject, struct cp_memory *memory)
{
    cp_find_sizes(&subject->sizes, &subject->question, &memory->arena);
}

/* At a size that works, so that every layer is planned. */
static void plan_once(struct subject *subject, struct cp_memory *memory)
{
    struct cp_stack stack;
    struct cp_plan plan;
    cp_plan_sizes(&plan, &stack, &subject->question, subject->sizes.furthest, &memory->arena);
    if (!plan.valid) fail("a plan is not valid");
}

static double best_seconds(struct subject *subject, void (*once)(struct subject *, struct cp_memory *), double budget)
{
    struct cp_memory_pool *pool = cp_memory_pool_create(LIMIT_BYTES, NULL);
    struct cp_memory memory;
    double best = 1e9;
    cp_memory_open(&memory, pool, LIMIT_BYTES, NULL);
    for (double end = now_seconds() + budget; now_seconds() < end;) {
        int repeats = best < 1e-4 ? (int)(1e-4 / best) + 1 : 1;
        double start = now_seconds();
        for (int at = 0; at < repeats; at++) {
            once(subject, &memory);
            cp_memory_reset(&memory);
        }
        double seconds = (now_seconds() - start) / repeats;
        if (seconds < best) best = seconds;
    }
    cp_memory_pool_free(pool);
    return best;
}

int main(int argc, char **argv)
{
    enum { COUNT = sizeof networks / sizeof networks[0] };
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    printf("%-14s %6s %7s %8s %12s %12s %10s %8s\n", "network", "levels", "layers", "period", "planning us",
           "exact set us", "plannings", "at most");
    for (int row = 0; row < COUNT; row++) {
        const struct network *network = &networks[row];
        struct subject subject;
        struct cp_memory memory;
        read_subject(&subject, network);
        cp_memory_open(&memory, NULL, LIMIT_BYTES, NULL);
        find_once(&subject, &memory);
        if (subject.sizes.refusal != CP_CODE_COUNT) fail("no exact set");
        int64_t period = subject.sizes.sets[0].period;
        double find = best_seconds(&subject, find_once, seconds / COUNT / 2);
        find_once(&subject, &memory);
        double plan = best_seconds(&subject, plan_once, seconds / COUNT / 2);
        printf("%-14s %6d %7u %8lld %12.2f %12.2f %10.1f", network->name, network->levels, subject.stack.layer_count,
               (long long)period, plan * 1e6, find * 1e6, find / plan);
        if (network->most > 0)
            printf(" %8.0f\n", network->most);
        else
            printf("\n");
        cp_memory_reset(&memory);
        cp_memory_reset(&subject.memory);
    }
    return 0;
}
