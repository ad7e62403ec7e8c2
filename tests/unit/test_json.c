/* The tree: what was written is what is read, duplicates, long numbers, and running out of memory at every block. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "core/limits.h"
#include "server/json/json.h"

/* ---- An arena of blocks of a chosen size ---- */

struct owner {
    struct cp_arena arena;
    size_t block_bytes;
    int blocks, allowed, texts;
    void *block[4096];
    void *text[2];
    jmp_buf out;
};

static void *give_block(struct cp_arena *arena, size_t size, size_t *given)
{
    struct owner *owner = arena->owner;
    if (owner->blocks == owner->allowed) return NULL;
    *given = size > owner->block_bytes ? size : owner->block_bytes;
    return owner->block[owner->blocks++] = malloc(*given);
}

__attribute__((noreturn)) static void run_out(struct cp_arena *arena)
{
    struct owner *owner = arena->owner;
    longjmp(owner->out, 1);
}

static void open_arena(struct owner *owner, size_t block_bytes, int allowed)
{
    *owner = (struct owner){.block_bytes = block_bytes, .allowed = allowed};
    owner->arena = (struct cp_arena){.more = give_block, .exhausted = run_out, .owner = owner};
}

static void close_arena(struct owner *owner)
{
    while (owner->blocks > 0) free(owner->block[--owner->blocks]);
    while (owner->texts > 0) free(owner->text[--owner->texts]);
}

/* From a buffer of just its size, so that the sanitizer sees a read past the end. */
static const struct cp_json *parse(struct owner *owner, const char *text, size_t size, struct cp_json_error *error)
{
    char *copy = malloc(size ? size : 1);
    if (size) memcpy(copy, text, size);
    owner->text[owner->texts++] = copy;
    return cp_json_parse(&owner->arena, copy, size, error);
}

/* ---- Reading ---- */

static void assert_text(struct cp_text text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.bytes, expected, text.size);
}

static void types_and_values(void **state)
{
    static const char text[] =
        " {\"a\" : [null, false, true, 1.5, \"x\\n\\u00e9\\ud83d\\ude00\", [], {}], \"\\\"b\" : -3 } ";
    struct owner owner;
    struct cp_json_error error;
    (void)state;
    open_arena(&owner, 65536, 1);
    const struct cp_json *root = parse(&owner, text, sizeof text - 1, &error);
    assert_non_null(root);
    assert_int_equal(cp_json_type(root), CP_JSON_OBJECT);
    assert_int_equal(cp_json_count(root), 2);
    assert_text(cp_json_name(root), "");
    assert_null(cp_json_next(root));

    const struct cp_json *item = cp_json_first(root);
    assert_text(cp_json_name(item), "a");
    assert_int_equal(cp_json_count(item), 7);
    const enum cp_json_type types[] = {CP_JSON_NULL,   CP_JSON_FALSE, CP_JSON_TRUE,  CP_JSON_NUMBER,
                                       CP_JSON_STRING, CP_JSON_ARRAY, CP_JSON_OBJECT};
    const struct cp_json *child = cp_json_first(item);
    for (int index = 0; index < 7; index++, child = cp_json_next(child)) {
        assert_int_equal(cp_json_type(child), types[index]);
        assert_null(cp_json_first(child));
        assert_int_equal(cp_json_count(child), 0);
        assert_text(cp_json_name(child), "");
        if (types[index] == CP_JSON_NUMBER) assert_true(cp_json_number(child) == 1.5);
        if (types[index] == CP_JSON_STRING) assert_text(cp_json_text(child), "x\né😀");
    }
    assert_null(child);
    item = cp_json_next(item);
    assert_text(cp_json_name(item), "\"b");
    assert_true(cp_json_number(item) == -3);
    assert_null(cp_json_next(item));
    close_arena(&owner);
}

static void integers(void **state)
{
    static const struct {
        const char *text;
        bool integral;
        int64_t value;
    } rows[] = {
        {"8", true, 8},
        {"8.0", true, 8},
        {"1e1", true, 10},
        {"-0", true, 0},
        {"-0.0", true, 0},
        {"800e-2", true, 8},
        {"9007199254740991", true, CP_MAX_COUNT},
        {"-9007199254740991", true, -CP_MAX_COUNT},
        {"9007199254740992", false, 0},
        {"-9007199254740992", false, 0},
        {"9223372036854775808", false, 0},
        {"1e300", false, 0},
        {"8.5", false, 0},
        {"1e-300", false, 0},
        {"\"8\"", false, 0},
        {"true", false, 0},
        {"null", false, 0},
        {"[8]", false, 0},
        {"1.00000000000000000000000000000000000000000000000000000000000000000000000", true, 1},
        {"0.00000000000000000000000000000000000000000000000000000000000000000000000", true, 0},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct owner owner;
        struct cp_json_error error;
        int64_t integer = 0;
        open_arena(&owner, 4096, 2);
        const struct cp_json *value = parse(&owner, rows[row].text, strlen(rows[row].text), &error);
        bool integral = cp_json_integer(value, &integer);
        if (integral != rows[row].integral || integer != rows[row].value) {
            fprintf(stderr, "%s: got %d, %lld\n", rows[row].text, integral, (long long)integer);
            fail();
        }
        close_arena(&owner);
    }
}

static void members(void **state)
{
    static const char text[] = "{\"stride\":1,\"Stride\":2,\"strid\":3,\"strides\":4,\"\":5}";
    struct owner owner;
    struct cp_json_error error;
    (void)state;
    open_arena(&owner, 4096, 1);
    const struct cp_json *root = parse(&owner, text, sizeof text - 1, &error);
    assert_true(cp_json_number(cp_json_member(root, CP_TEXT("stride"))) == 1);
    assert_true(cp_json_number(cp_json_member(root, CP_TEXT("Stride"))) == 2);
    assert_true(cp_json_number(cp_json_member(root, CP_TEXT("strid"))) == 3);
    assert_true(cp_json_number(cp_json_member(root, CP_TEXT("strides"))) == 4);
    assert_true(cp_json_number(cp_json_member(root, CP_TEXT(""))) == 5);
    assert_null(cp_json_member(root, CP_TEXT("stri")));
    assert_null(cp_json_member(root, CP_TEXT("STRIDE")));
    assert_null(cp_json_member(cp_json_first(root), CP_TEXT("stride")));
    close_arena(&owner);
}

/* Numbers of very many digits, in every place where one can stand. */
static void long_numbers(void **state)
{
    static const char digits[] =
        "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803";
    static const char *const frames[] = {"%s",         " %s ",         "[%s]",           "[1,%s,2]",
                                         "{\"a\":%s}", "{\"1%s\":%s}", "[\"\\\"%s\",%s]"};
    (void)state;
    for (size_t row = 0; row < sizeof frames / sizeof frames[0]; row++) {
        struct owner owner;
        struct cp_json_error error;
        char text[300];
        int size = snprintf(text, sizeof text, frames[row], digits, digits);
        open_arena(&owner, 4096, 2);
        const struct cp_json *value = parse(&owner, text, (size_t)size, &error);
        assert_non_null(value);
        if (cp_json_first(value)) value = cp_json_first(value);
        while (cp_json_type(value) != CP_JSON_NUMBER || cp_json_number(value) == 1) value = cp_json_next(value);
        assert_true(cp_json_number(value) == 3.14159265358979323846);
        close_arena(&owner);
    }
}

/* ---- Refusals ---- */

static void refusals(void **state)
{
    static const struct {
        const char *name, *text;
        enum cp_json_fault fault;
        size_t offset;
    } rows[] = {
        {"syntax", "[1,]", CP_JSON_SYNTAX, 3},
        {"empty", "", CP_JSON_SYNTAX, 0},
        {"NUL", "[\"\\u0000\"]", CP_JSON_NUL, 2},
        {"huge", "[1e999]", CP_JSON_HUGE, 1},
        {"duplicate", "{\"a\":1,\"a\":2}", CP_JSON_DUPLICATE, 7},
        {"duplicate, not next to each other", "{\"a\":1,\"b\":2,\"a\":3}", CP_JSON_DUPLICATE, 13},
        {"with spaces", " { \"a\" : 1 ,\n \"a\" : 2 }", CP_JSON_DUPLICATE, 14},
        {"written differently", "{\"a\":1,\"\\u0061\":2}", CP_JSON_DUPLICATE, 7},
        {"empty names", "{\"\":1,\"\":2}", CP_JSON_DUPLICATE, 6},
        {"nested", "[0,{\"x\":{\"meta\":[1,{\"k\":[],\"k\":{}}]}}]", CP_JSON_DUPLICATE, 27},
        {"inner before outer", "{\"a\":{\"x\":1,\"x\":2},\"a\":3}", CP_JSON_DUPLICATE, 12},
        {"outer before inner", "{\"a\":1,\"a\":{\"x\":1,\"x\":2}}", CP_JSON_DUPLICATE, 7},
        {"strings with brackets and colons", "{\"a\":\":{[,\\\"\\\\\",\"b\":\"\",\"a\":0}", CP_JSON_DUPLICATE, 23},
        {"literals and numbers before", "{\"a\":[true,false,null,-1.5e3],\"a\":0}", CP_JSON_DUPLICATE, 30},
        {"three times", "{\"a\":1,\"a\":2,\"a\":3}", CP_JSON_DUPLICATE, 7},
        {"two pairs", "{\"a\":1,\"b\":2,\"b\":3,\"a\":4}", CP_JSON_DUPLICATE, 13},
        {"seventeen members",
         "{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"A\":0,\"B\":0,\"C\":0,"
         "\"D\":0,\"E\":0,\"F\":0,\"G\":0,\"1\":0}",
         CP_JSON_DUPLICATE, 97},
        {"same name in siblings", "[{\"a\":1},{\"a\":2}]", CP_JSON_OK, 0},
        {"same name in parent", "{\"a\":{\"a\":{\"a\":1}}}", CP_JSON_OK, 0},
        {"other case", "{\"a\":1,\"A\":2}", CP_JSON_OK, 0},
        {"prefix", "{\"a\":1,\"aa\":2}", CP_JSON_OK, 0},
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct owner owner;
        struct cp_json_error error;
        open_arena(&owner, 4096, 4);
        bool accepted = parse(&owner, rows[row].text, strlen(rows[row].text), &error) != NULL;
        bool right = accepted == (rows[row].fault == CP_JSON_OK) && error.fault == rows[row].fault;
        if (right && !accepted) right = error.offset == rows[row].offset && error.expected;
        if (!right) {
            fprintf(stderr, "%s: got fault %d at %zu\n", rows[row].name, (int)error.fault, error.offset);
            fail();
        }
        close_arena(&owner);
    }
}

static size_t write_members(char *text, int count, int repeated, int at)
{
    size_t size = 1;
    text[0] = '{';
    for (int index = 0; index < count; index++) {
        int number = index == at ? repeated : index;
        size += (size_t)sprintf(text + size, "\"a_rather_long_common_prefix_%d\":%d,", number, index);
    }
    text[size - 1] = '}';
    return size;
}

static void duplicates_in_many_members(void **state)
{
    enum { COUNT = 50000 };
    static const struct {
        int count, repeated, at; /* member `at` has the name of member `repeated` */
    } rows[] = {{COUNT, 0, -1}, {COUNT, 0, COUNT - 1}, {COUNT, 77, 25000}, {COUNT, 3, 4}, {16, 0, 15},
                {17, 0, 16},    {17, 15, 16},          {18, 0, -1},        {33, 31, 32},  {16, 0, -1}};
    char *text = malloc(COUNT * 48);
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        struct owner owner;
        struct cp_json_error error;
        size_t size = write_members(text, rows[row].count, rows[row].repeated, rows[row].at);
        open_arena(&owner, 1 << 20, 64);
        bool accepted = parse(&owner, text, size, &error) != NULL;
        assert_int_equal(accepted, rows[row].at < 0);
        if (!accepted) {
            char value[32];
            sprintf(value, ":%d%s", rows[row].at, rows[row].at == rows[row].count - 1 ? "}" : ",");
            assert_int_equal(error.fault, CP_JSON_DUPLICATE);
            assert_int_equal(text[error.offset], '"');
            assert_memory_equal(strchr(text + error.offset, ':'), value, strlen(value));
        }
        close_arena(&owner);
    }
    free(text);
}

/* ---- cJSON itself as the oracle ---- */

/* Both trees are printed in one plain form, by recursion: the texts here are ours. */
static void print_ours(FILE *out, const struct cp_json *value)
{
    struct cp_text name = cp_json_name(value);
    fprintf(out, "<%.*s>", (int)name.size, name.bytes);
    switch (cp_json_type(value)) {
    case CP_JSON_NULL:
    case CP_JSON_FALSE:
    case CP_JSON_TRUE: fprintf(out, "%c", "nft"[cp_json_type(value)]); return;
    case CP_JSON_NUMBER: fprintf(out, "%a", cp_json_number(value)); return;
    case CP_JSON_STRING: fprintf(out, "'%.*s'", (int)cp_json_text(value).size, cp_json_text(value).bytes); return;
    case CP_JSON_ARRAY:
    case CP_JSON_OBJECT: break;
    }
    fprintf(out, "%c%zu:", cp_json_type(value) == CP_JSON_ARRAY ? 'a' : 'o', cp_json_count(value));
    for (const struct cp_json *child = cp_json_first(value); child; child = cp_json_next(child)) print_ours(out, child);
    fputc('.', out);
}

static void print_theirs(FILE *out, const cJSON *item)
{
    fprintf(out, "<%s>", item->string ? item->string : "");
    if (cJSON_IsNull(item) || cJSON_IsBool(item)) {
        fputc(cJSON_IsNull(item) ? 'n' : cJSON_IsTrue(item) ? 't' : 'f', out);
    } else if (cJSON_IsNumber(item)) {
        fprintf(out, "%a", item->valuedouble);
    } else if (cJSON_IsString(item)) {
        fprintf(out, "'%s'", item->valuestring);
    } else {
        fprintf(out, "%c%d:", cJSON_IsArray(item) ? 'a' : 'o', cJSON_GetArraySize(item));
        for (const cJSON *child = item->child; child; child = child->next) print_theirs(out, child);
        fputc('.', out);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    return (*seed = *seed * 1664525 + 1013904223) >> 8;
}

static size_t write_random(char *text, uint32_t *seed, int depth)
{
    static const char *const scalars[] = {"0",
                                          "-1",
                                          "12",
                                          "123",
                                          "1234567",
                                          "2.5e-3",
                                          "0.1",
                                          "-0.0",
                                          "1e22",
                                          "123456789012345678",
                                          "5e-324",
                                          "1.7976931348623157e308",
                                          "\"\"",
                                          "\"abc\"",
                                          "\"a longer text than sixteen bytes\"",
                                          "\"\\u00e9\\n\\\"\\\\\\/\"",
                                          "\"\\ud83d\\ude00 é €\"",
                                          "true",
                                          "false",
                                          "null",
                                          "[]",
                                          "{}",
                                          "[ ]",
                                          "{ }"};
    uint32_t choice = next_random(seed) % 4;
    if (depth == 0 || choice >= 2) {
        return (size_t)sprintf(text, "%s", scalars[next_random(seed) % (sizeof scalars / sizeof scalars[0])]);
    }
    size_t size = (size_t)sprintf(text, choice ? "{" : "[ ");
    uint32_t count = next_random(seed) % 6;
    for (uint32_t index = 0; index < count; index++) {
        if (index) size += (size_t)sprintf(text + size, index % 2 ? "," : " ,\n");
        if (choice) size += (size_t)sprintf(text + size, "\"member %u\" :", index);
        size += write_random(text + size, seed, depth - 1);
    }
    return size + (size_t)sprintf(text + size, choice ? "}" : "]");
}

enum { ROUNDS = 3000 };

static char random_text[1 << 20];

static void print_each_of_ours(FILE *out)
{
    uint32_t seed = 20240614;
    for (int round = 0; round < ROUNDS; round++) {
        struct owner owner;
        struct cp_json_error error;
        size_t size = write_random(random_text, &seed, 6);
        open_arena(&owner, 8192, 4096);
        const struct cp_json *value = parse(&owner, random_text, size, &error);
        if (!value) fprintf(stderr, "fault %d at %zu in %s\n", (int)error.fault, error.offset, random_text);
        assert_non_null(value);
        print_ours(out, value);
        fputc('\n', out);
        close_arena(&owner);
    }
}

static void print_each_of_theirs(FILE *out)
{
    uint32_t seed = 20240614;
    for (int round = 0; round < ROUNDS; round++) {
        cJSON *item = cJSON_ParseWithLength(random_text, write_random(random_text, &seed, 6));
        assert_non_null(item);
        print_theirs(out, item);
        fputc('\n', out);
        cJSON_Delete(item);
    }
}

static void same_as_cjson(void **state)
{
    char *ours = NULL, *theirs = NULL;
    size_t our_size, their_size;
    FILE *out = open_memstream(&ours, &our_size);
    (void)state;
    print_each_of_ours(out);
    fclose(out);
    out = open_memstream(&theirs, &their_size);
    print_each_of_theirs(out);
    fclose(out);
    assert_true(our_size > 100 * ROUNDS);
    size_t line = 0;
    for (size_t at = 0; at < our_size && at < their_size; at++) {
        if (ours[at] == '\n') line = at + 1;
        if (ours[at] == theirs[at]) continue;
        fprintf(stderr, "ours:   %.300s\ntheirs: %.300s\n", ours + line, theirs + line);
        fail();
    }
    assert_int_equal(our_size, their_size);
    free(ours);
    free(theirs);
}

/* ---- Limits ---- */

static void running_out_at_every_block(void **state)
{
    static const char text[] =
        "{\"input\":[1,3,224,224],\"layers\":[{\"type\":\"Conv2d\",\"kernel_size\":3},{\"\\n a name with an escape\":"
        "\"\\t and a text\",\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":0,\"k\":1,\"l\":2,"
        "\"m\":3,\"n\":4,\"o\":5,\"p\":6,\"q\":7,\"r\":8}],\"x\":[\"1\\u00e9\",\"2\\\\\",\"3\\/\"]}";
    volatile int unwound = 0;
    volatile bool finished = false;
    (void)state;
    for (volatile int allowed = 0; !finished; allowed++) {
        struct owner owner;
        struct cp_json_error error;
        open_arena(&owner, 16, allowed);
        if (setjmp(owner.out) == 0)
            finished = cp_json_parse(&owner.arena, text, sizeof text - 1, &error) != NULL;
        else
            unwound++;
        close_arena(&owner);
        assert_true(finished || unwound == allowed + 1);
    }
    assert_int_equal(unwound, 7); /* the values, five texts with escapes, the sort of many names */
}

static void deep_nesting(void **state)
{
    struct owner owner;
    struct cp_json_error error;
    static char text[100000];
    (void)state;
    memset(text, '[', sizeof text);
    open_arena(&owner, 4096, 8);
    assert_null(parse(&owner, text, sizeof text, &error));
    assert_int_equal(error.fault, CP_JSON_TOO_DEEP);
    assert_int_equal(error.offset, CP_MAX_JSON_DEPTH);
    assert_int_equal(owner.arena.taken, 0);
    memset(text + CP_MAX_JSON_DEPTH, ']', CP_MAX_JSON_DEPTH);
    const struct cp_json *value = parse(&owner, text, 2 * CP_MAX_JSON_DEPTH, &error);
    int depth = 0;
    for (; value; value = cp_json_first(value)) depth++;
    assert_int_equal(depth, CP_MAX_JSON_DEPTH);
    close_arena(&owner);
}

static size_t bytes_taken(const char *text, size_t size)
{
    struct owner owner;
    struct cp_json_error error;
    open_arena(&owner, 1 << 24, 64);
    assert_non_null(parse(&owner, text, size, &error));
    size_t taken = owner.arena.taken;
    close_arena(&owner);
    return taken;
}

/* Sixteen times the members take sixteen times the memory, the sort of their names included. */
static void linear_memory(void **state)
{
    enum { SMALL = 10000, FACTOR = 16 };
    char *text = malloc(SMALL * FACTOR * 48);
    (void)state;
    size_t small = bytes_taken(text, write_members(text, SMALL, 0, -1));
    size_t large = bytes_taken(text, write_members(text, SMALL * FACTOR, 0, -1));
    assert_in_range(large, 15 * small, 17 * small);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_values),
        cmocka_unit_test(integers),
        cmocka_unit_test(members),
        cmocka_unit_test(long_numbers),
        cmocka_unit_test(refusals),
        cmocka_unit_test(duplicates_in_many_members),
        cmocka_unit_test(running_out_at_every_block),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(linear_memory),
        cmocka_unit_test(same_as_cjson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
