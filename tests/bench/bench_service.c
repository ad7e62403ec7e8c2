/* The service in process: what a worker does with a request between its bytes and its reply's, without HTTP. Prints
 * one figure per line, "name value lower upper unit": the median of many short runs, and the quartiles around it. Times
 * are of this thread's processor time, so that a busy neighbour takes less part in them.
 *
 *     bench_service [runs]                     every figure
 *     bench_service repeat NAME COUNT          one request over and over, for a profiler to watch
 *     bench_service body NAME                  print a request: four-layers, an example's name, or a number of layers
 *     bench_service numbers                    print the list of random numbers
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/plan.h"
#include "server/embedded.h"
#include "server/json/number.h"
#include "server/json/writer.h"
#include "server/memory.h"
#include "server/reading.h"
#include "server/service.h"

enum { MOST_RUNS = 1000, DEFAULT_RUNS = 101, NUMBER_COUNT = 200000 };

#define LIMIT_BYTES ((size_t)2 << 30)
#define RUN_NS 2e5 /* a run repeats what it measures until it is this long: a clock's tick does not matter then */

static const char four_layers[] =
    "{\"input\":[1,3,224,224],\"layers\":["
    "{\"type\":\"Conv2d\",\"out_channels\":64,\"kernel_size\":7,\"stride\":2,\"padding\":3},"
    "{\"type\":\"MaxPool2d\",\"kernel_size\":3,\"stride\":2,\"padding\":1},"
    "{\"type\":\"Conv2d\",\"out_channels\":64,\"kernel_size\":3,\"padding\":1},"
    "{\"type\":\"Conv2d\",\"out_channels\":64,\"kernel_size\":3,\"padding\":1}]}";

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static __attribute__((noreturn)) void fail(const char *what)
{
    fprintf(stderr, "bench_service: %s\n", what);
    exit(1);
}

static __attribute__((noreturn)) void exhausted(struct cp_arena *arena)
{
    (void)arena;
    fail("out of memory");
}

/* ---- Figures ------------------------------------------------------------------------------------------------------ */

/* Something to measure: done `count` times in a row. */
struct subject {
    const char *name;
    void (*repeat)(struct subject *subject, int count);
    const void *of;
    double units; /* what one time is divided by, such as layers */
    const char *unit;
};

static int compare_doubles(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

/* How often in a row makes a run long enough; the tries are the warming up. */
static int count_for(struct subject *subject)
{
    for (int count = 1;; count *= 2) {
        double start = now_ns();
        subject->repeat(subject, count);
        if (now_ns() - start >= RUN_NS || count >= 1 << 20) return count;
    }
}

/* All subjects take turns, so that a slow minute of the machine falls on each alike. */
static void measure(struct subject *subjects, int subject_count, int runs)
{
    static double values[16][MOST_RUNS];
    int counts[16];
    if (runs > MOST_RUNS) runs = MOST_RUNS;
    for (int at = 0; at < subject_count; at++) counts[at] = count_for(&subjects[at]);
    for (int run = 0; run < runs; run++) {
        for (int at = 0; at < subject_count; at++) {
            double start = now_ns();
            subjects[at].repeat(&subjects[at], counts[at]);
            values[at][run] = (now_ns() - start) / counts[at] / subjects[at].units / 1000;
        }
    }
    for (int at = 0; at < subject_count; at++) {
        qsort(values[at], (size_t)runs, sizeof values[at][0], compare_doubles);
        printf("%s %.4f %.4f %.4f %s\n", subjects[at].name, values[at][runs / 2], values[at][runs / 4],
               values[at][runs * 3 / 4], subjects[at].unit);
    }
    fflush(stdout);
}

/* ---- Whole requests ----------------------------------------------------------------------------------------------- */

/* Kept over requests, as a worker keeps them. */
static struct cp_memory memory;
static struct cp_reply reply;

/* As over HTTP: the head is looked at, the body is copied in, the request answered. */
static void answer(struct cp_text body)
{
    struct cp_request request = {.method = CP_POST,
                                 .method_name = CP_TEXT("POST"),
                                 .path = CP_TEXT("/v1/shapes"),
                                 .content_type = CP_TEXT("application/json")};
    size_t body_limit;
    if (!cp_service_admit(&request, &body_limit, &reply, &memory.arena)) fail("refused");
    char *copy = cp_memory_resize(&memory, NULL, 0, body.size);
    if (!copy) fail("out of memory");
    request.body = (struct cp_text){memcpy(copy, body.bytes, body.size), body.size};
    cp_service_answer(&request, &reply, &memory.arena);
    if (reply.status != 200) fail("a reply is not 200");
}

static void repeat_answer(struct subject *subject, int count)
{
    const struct cp_text *body = subject->of;
    for (int at = 0; at < count; at++) {
        answer(*body);
        cp_memory_reset(&memory);
    }
}

static struct cp_text example(const char *name)
{
    for (int at = 0; at < cp_example_count; at++)
        if (strcmp(cp_examples[at].name, name) == 0) return cp_examples[at].request;
    fail("no such example");
}

/* A plain stack: blocks of convolution, normalisation, activation and a pool that keeps its input's size. */
static struct cp_text stack_of(int layers)
{
    static const char *const kinds[] = {
        "{\"type\":\"Conv2d\",\"out_channels\":64,\"kernel_size\":3,\"padding\":1,\"bias\":false}",
        "{\"type\":\"BatchNorm2d\"}", "{\"type\":\"ReLU\"}",
        "{\"type\":\"MaxPool2d\",\"kernel_size\":3,\"stride\":1,\"padding\":1}"};
    enum { LONGEST = 96, AROUND = 64 };
    char *bytes = malloc(AROUND + (size_t)layers * LONGEST);
    if (!bytes) fail("out of memory");
    size_t size = (size_t)sprintf(bytes, "{\"input\":[1,64,56,56],\"layers\":[");
    for (int at = 0; at < layers; at++) {
        if (at) bytes[size++] = ',';
        size += (size_t)sprintf(bytes + size, "%s", kinds[at % 4]);
    }
    size += (size_t)sprintf(bytes + size, "]}");
    return (struct cp_text){bytes, size};
}

static struct cp_text body_named(const char *name)
{
    if (strcmp(name, "four-layers") == 0) return CP_TEXT(four_layers);
    return name[0] >= '0' && name[0] <= '9' ? stack_of(atoi(name)) : example(name);
}

/* Bytes that a request takes from its memory, and those of the blocks that it holds. */
static void print_memory(const char *name, struct cp_text body)
{
    answer(body);
    printf("memory_%s %zu %zu %zu bytes\n", name, memory.arena.taken, memory.arena.taken, memory.held_bytes);
    printf("reply_%s %zu %zu %zu bytes\n", name, reply.body.size, body.size, body.size);
    cp_memory_reset(&memory);
}

/* ---- The planning alone ------------------------------------------------------------------------------------------- */

static void read_stack(struct cp_arena *arena, struct cp_text body, struct cp_stack *stack)
{
    struct cp_reader reader;
    cp_reader_begin(&reader, arena);
    const struct cp_json *request = cp_read_body(&reader, body);
    *stack = (struct cp_stack){.element_bytes = 4};
    if (request) {
        cp_read_inputs(&reader, request, stack);
        cp_read_layers(&reader, request, "layers", stack);
    }
    if (reader.problems.count) fail("an example cannot be read");
}

/* Each plan into the same bytes. */
static void repeat_plan(struct subject *subject, int count)
{
    struct cp_arena start = memory.arena;
    for (int at = 0; at < count; at++) {
        struct cp_plan plan;
        cp_plan_stack(&plan, subject->of, CP_PLAN_ALL, &memory.arena);
        if (!plan.valid) fail("a plan is not valid");
        memory.arena = start;
    }
}

static void measure_planning(int runs)
{
    enum { ROOM = 1 << 20 };
    struct cp_stack stack;
    read_stack(&memory.arena, example("resnet50"), &stack);
    memory.arena.next = cp_arena_take(&memory.arena, ROOM, alignof(max_align_t));
    struct subject plan = {"plan_resnet50", repeat_plan, &stack, 1, "us"};
    measure(&plan, 1, runs);
    cp_memory_reset(&memory);
}

/* ---- Numbers ------------------------------------------------------------------------------------------------------ */

struct numbers {
    struct cp_text json;
    double *values;
};

/* Doubles in [0, 1) of 53 random bits, as JavaScript's Math.random gives: those take the most digits. */
static void make_numbers(struct numbers *numbers, struct cp_arena *arena)
{
    uint64_t state = 1;
    struct cp_writer writer;
    numbers->values = cp_arena_take(arena, NUMBER_COUNT * sizeof(double), alignof(double));
    for (int at = 0; at < NUMBER_COUNT; at++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        numbers->values[at] = (double)(state >> 11) * 0x1p-53;
    }
    cp_writer_begin(&writer, arena, (size_t)NUMBER_COUNT * CP_NUMBER_ROOM);
    cp_write_array_begin(&writer);
    for (int at = 0; at < NUMBER_COUNT; at++) cp_write_double(&writer, numbers->values[at]);
    cp_write_array_end(&writer);
    numbers->json = cp_writer_text(&writer);
}

static void repeat_decode(struct subject *subject, int count)
{
    const struct numbers *numbers = subject->of;
    for (int at = 0; at < count; at++) {
        struct cp_arena start = memory.arena;
        struct cp_json_error error;
        const struct cp_json *list = cp_json_parse(&memory.arena, numbers->json.bytes, numbers->json.size, &error);
        double *values = cp_arena_take(&memory.arena, NUMBER_COUNT * sizeof *values, alignof(double)), *next = values;
        for (list = cp_json_first(list); list; list = cp_json_next(list)) *next++ = cp_json_number(list);
        if (memcmp(values, numbers->values, NUMBER_COUNT * sizeof *values) != 0) fail("numbers changed");
        memory.arena = start;
    }
}

static void repeat_encode(struct subject *subject, int count)
{
    const struct numbers *numbers = subject->of;
    for (int time = 0; time < count; time++) {
        struct cp_arena start = memory.arena;
        struct cp_writer writer;
        cp_writer_begin(&writer, &memory.arena, (size_t)NUMBER_COUNT * CP_NUMBER_ROOM);
        cp_write_array_begin(&writer);
        for (int at = 0; at < NUMBER_COUNT; at++) cp_write_double(&writer, numbers->values[at]);
        cp_write_array_end(&writer);
        if (cp_writer_text(&writer).size != numbers->json.size) fail("numbers changed");
        memory.arena = start;
    }
}

static void repeat_both(struct subject *subject, int count)
{
    repeat_decode(subject, count);
    repeat_encode(subject, count);
}

static void measure_numbers(int runs)
{
    enum { ROOM = 128 << 20 };
    struct numbers numbers;
    memory.arena.next = cp_arena_take(&memory.arena, ROOM, alignof(max_align_t));
    make_numbers(&numbers, &memory.arena);
    struct subject subjects[] = {{"numbers_decode", repeat_decode, &numbers, 1000, "ms"},
                                 {"numbers_encode", repeat_encode, &numbers, 1000, "ms"},
                                 {"numbers_both", repeat_both, &numbers, 1000, "ms"}};
    measure(subjects, 3, runs < 21 ? runs : 21);
    cp_memory_reset(&memory);
}

static int print_numbers(void)
{
    struct numbers numbers;
    make_numbers(&numbers, &memory.arena);
    return fwrite(numbers.json.bytes, numbers.json.size, 1, stdout) != 1;
}

/* ---- Choice ------------------------------------------------------------------------------------------------------- */

static void measure_answers(int runs)
{
    struct cp_text four = body_named("four-layers"), resnet50 = body_named("resnet50");
    struct subject subjects[] = {{"answer_four_layers", repeat_answer, &four, 1, "us"},
                                 {"answer_resnet50", repeat_answer, &resnet50, 1, "us"}};
    measure(subjects, 2, runs);
    print_memory("four_layers", four);
    print_memory("resnet50", resnet50);
}

static void measure_growth(int runs)
{
    static const char *const sizes[] = {"10", "100", "1000", "10000", "100000"};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    struct cp_text bodies[SIZES];
    struct subject subjects[SIZES];
    char names[SIZES][32];
    for (int at = 0; at < SIZES; at++) {
        bodies[at] = body_named(sizes[at]);
        snprintf(names[at], sizeof names[at], "layers_%s", sizes[at]);
        subjects[at] = (struct subject){names[at], repeat_answer, &bodies[at], atof(sizes[at]), "us"};
    }
    measure(subjects, SIZES, runs < 21 ? runs : 21);
    for (int at = 0; at < SIZES; at++) print_memory(sizes[at], bodies[at]);
}

int main(int argc, char **argv)
{
    struct cp_memory_pool *pool = cp_memory_pool_create((size_t)64 << 20, NULL);
    cp_memory_open(&memory, pool, LIMIT_BYTES, exhausted);
    if (argc == 4 && strcmp(argv[1], "repeat") == 0) {
        struct cp_text body = body_named(argv[2]);
        repeat_answer(&(struct subject){.of = &body}, atoi(argv[3]));
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "body") == 0) {
        struct cp_text body = body_named(argv[2]);
        return fwrite(body.bytes, body.size, 1, stdout) != 1;
    }
    if (argc == 2 && strcmp(argv[1], "numbers") == 0) return print_numbers();
    int runs = argc > 1 ? atoi(argv[1]) : DEFAULT_RUNS;
    if (runs < 1) fail("usage: bench_service [runs] | repeat NAME COUNT | body NAME | numbers");
    measure_answers(runs);
    measure_planning(runs);
    measure_growth(runs);
    measure_numbers(runs);
    return 0;
}
