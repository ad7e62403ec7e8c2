/* Tensors between JSON and memory: every form both ways, and what is wrong with those that are none. */
#include <math.h>

#include "tests/service_client.h"

#include "server/json/base64.h"
#include "server/json/tensor.h"

enum { MEMORY_BYTES = 1 << 26 };

struct fixture {
    struct cp_memory memory;
    struct cp_reader reader;
    struct cp_tensor tensor;
    bool right;
};

static void read_text(struct fixture *fixture, const char *json, enum cp_element element)
{
    static const struct cp_path root = {0};
    struct cp_path at = CP_PATH_MEMBER(&root, CP_TEXT("t"));
    struct cp_json_error error;
    cp_memory_open(&fixture->memory, NULL, MEMORY_BYTES, NULL);
    cp_reader_begin(&fixture->reader, &fixture->memory.arena);
    const struct cp_json *value = cp_json_parse(&fixture->memory.arena, json, strlen(json), &error);
    assert_non_null(value);
    fixture->right = cp_read_tensor(&fixture->reader, value, &at, element, &fixture->tensor);
    assert_true(fixture->right == (fixture->reader.problems.count == 0));
}

static void close_fixture(struct fixture *fixture)
{
    cp_memory_reset(&fixture->memory);
}

static struct cp_text written(struct fixture *fixture, enum cp_tensor_encoding encoding)
{
    struct cp_writer writer;
    cp_writer_begin(&writer, &fixture->memory.arena, 16);
    cp_write_tensor(&writer, &fixture->tensor, encoding);
    return cp_writer_text(&writer);
}

/* ---- Right ones --------------------------------------------------------------------------------------------------- */

#define TYPED(dtype, rest) "{\"shape\": [2], \"dtype\": \"" dtype "\", " rest "}"

static const struct {
    const char *name, *json;
    enum cp_element element;
    const char *nested, *flat, *base64;
} good[] = {
    {"a list", "[1, 2.5]", CP_FLOAT64, "[1,2.5]", "{\"shape\":[2],\"dtype\":\"float64\",\"data\":[1,2.5]}",
     "{\"shape\":[2],\"dtype\":\"float64\",\"base64\":\"AAAAAAAA8D8AAAAAAAAEQA==\"}"},
    {"three levels", "[[[1, 2]], [[3, 4]]]", CP_INT64, "[[[1,2]],[[3,4]]]",
     "{\"shape\":[2,1,2],\"dtype\":\"int64\",\"data\":[1,2,3,4]}",
     "{\"shape\":[2,1,2],\"dtype\":\"int64\",\"base64\":\"AQAAAAAAAAACAAAAAAAAAAMAAAAAAAAABAAAAAAAAAA=\"}"},
    {"eight levels", "[[[[[[[[7]]]]]]]]", CP_FLOAT32, "[[[[[[[[7]]]]]]]]",
     "{\"shape\":[1,1,1,1,1,1,1,1],\"dtype\":\"float32\",\"data\":[7]}",
     "{\"shape\":[1,1,1,1,1,1,1,1],\"dtype\":\"float32\",\"base64\":\"AADgQA==\"}"},
    {"flat", "{\"shape\": [2, 1], \"data\": [3, -0.0]}", CP_FLOAT64, "[[3],[-0.0]]",
     "{\"shape\":[2,1],\"dtype\":\"float64\",\"data\":[3,-0.0]}", NULL},
    {"base64", TYPED("float64", "\"base64\": \"AAAAAAAA8D8AAAAAAAAEQA==\""), CP_FLOAT64, "[1,2.5]", NULL, NULL},
    {"base64 of floats, widened", "{\"shape\": [1], \"dtype\": \"float32\", \"base64\": \"AAAgQA==\"}", CP_FLOAT64,
     "[2.5]", NULL, NULL},
    {"floats are the doubles that they are", "[0.1]", CP_FLOAT32, "[0.10000000149011612]", NULL, NULL},
    {"rounded to a float by its own dtype", "{\"shape\": [1], \"dtype\": \"float32\", \"data\": [0.1]}", CP_FLOAT64,
     "[0.10000000149011612]", NULL, NULL},
    {"the largest integers", "[9223372036854775807, -9223372036854775808]", CP_INT64,
     "[9223372036854775807,-9223372036854775808]", NULL, NULL},
    {"integers beyond 2^53", "[9007199254740993, -9007199254740993, 9007199254740992]", CP_INT64,
     "[9007199254740993,-9007199254740993,9007199254740992]", NULL, NULL},
    {"integers with points", "[2.0, 1e3, -0.0]", CP_INT64, "[2,1000,0]", NULL, NULL},
    {"integers to the nearest double", "[9007199254740993]", CP_FLOAT64, "[9007199254740992]", NULL, NULL},
    {"integers from doubles in base64", TYPED("float64", "\"base64\": \"AAAAAAAA8D8AAAAAAAAAQA==\""), CP_INT64, "[1,2]",
     NULL, NULL},
    {"the smallest double", "[5e-324, 1.7976931348623157e308]", CP_FLOAT64, "[5e-324,1.7976931348623157e+308]", NULL,
     NULL},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof good / sizeof good[0]; at++) {
        const char *wanted[] = {good[at].nested, good[at].flat, good[at].base64};
        struct fixture fixture;
        read_text(&fixture, good[at].json, good[at].element);
        if (!fixture.right)
            fail_msg("%s: %.*s", good[at].name, (int)fixture.reader.problems.first->detail.size,
                     fixture.reader.problems.first->detail.bytes);
        for (int encoding = 0; encoding < 3; encoding++) {
            struct cp_text text = written(&fixture, (enum cp_tensor_encoding)encoding);
            if (wanted[encoding] && !cp_test_is(text, wanted[encoding]))
                fail_msg("%s: %.*s", good[at].name, (int)text.size, text.bytes);
        }
        close_fixture(&fixture);
    }
}

/* What is written reads back as the same bytes, in each form. */
static void test_round_trip(void **state)
{
    static const double numbers[] = {1.0 / 3, -0.0, 1e23, 0x1p-1074, -123456789.125, 0.1, 4.35};
    const char *pattern = "{\"shape\": [7, 1], \"dtype\": \"float64\", \"base64\": \"%s\"}";
    char base64[128] = {0}, json[256];
    (void)state;
    cp_base64_encode(numbers, sizeof numbers, base64);
    (void)snprintf(json, sizeof json, pattern, base64);
    for (int encoding = 0; encoding < 3; encoding++) {
        struct fixture first, second;
        read_text(&first, json, CP_FLOAT64);
        assert_true(first.right);
        assert_memory_equal(first.tensor.data, numbers, sizeof numbers);
        struct cp_text text = written(&first, (enum cp_tensor_encoding)encoding);
        char *copy = strndup(text.bytes, text.size);
        read_text(&second, copy, CP_FLOAT64);
        assert_true(second.right);
        assert_memory_equal(second.tensor.data, numbers, sizeof numbers);
        assert_true(cp_shape_equal(&second.tensor.shape, &first.tensor.shape));
        free(copy);
        close_fixture(&first);
        close_fixture(&second);
    }
}

/* ---- Wrong ones --------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *json;
    enum cp_element element;
    enum cp_code code;
    const char *pointer;
} bad[] = {
    {"a number", "5", CP_FLOAT64, CP_CODE_wrong_type, "/t"},
    {"null", "null", CP_FLOAT64, CP_CODE_wrong_type, "/t"},
    {"a string", "\"AAAA\"", CP_FLOAT64, CP_CODE_wrong_type, "/t"},
    {"an empty list", "[]", CP_FLOAT64, CP_CODE_wrong_length, "/t"},
    {"an empty list within", "[[], []]", CP_FLOAT64, CP_CODE_wrong_length, "/t/0"},
    {"nine levels", "[[[[[[[[[7]]]]]]]]]", CP_FLOAT64, CP_CODE_wrong_type, "/t/0/0/0/0/0/0/0/0"},
    {"a shorter row", "[[1, 2], [3]]", CP_FLOAT64, CP_CODE_ragged_tensor, "/t/1"},
    {"a longer row", "[[[1], [2]], [[3], [4, 5]]]", CP_FLOAT64, CP_CODE_ragged_tensor, "/t/1/1"},
    {"a missing row", "[[[1], [2]], [[3]]]", CP_FLOAT64, CP_CODE_ragged_tensor, "/t/1"},
    {"a number for a list", "[[1, 2], 3]", CP_FLOAT64, CP_CODE_ragged_tensor, "/t/1"},
    {"a list for a number", "[[1, 2], [3, [4]]]", CP_FLOAT64, CP_CODE_wrong_type, "/t/1/1"},
    {"an object for a list", "[[1, 2], {}]", CP_FLOAT64, CP_CODE_ragged_tensor, "/t/1"},
    {"null for a number", "[1, null]", CP_FLOAT64, CP_CODE_wrong_type, "/t/1"},
    {"NaN as a string", "[[1, \"NaN\"]]", CP_FLOAT64, CP_CODE_wrong_type, "/t/0/1"},
    {"a fraction", "[1, 2.5]", CP_INT64, CP_CODE_element_out_of_range, "/t/1"},
    {"2^63", "[9223372036854775808]", CP_INT64, CP_CODE_element_out_of_range, "/t/0"},
    {"less than -2^63", "[-9223372036854775809]", CP_INT64, CP_CODE_element_out_of_range, "/t/0"},
    {"last digits in doubt", "[9007199254740993.0]", CP_INT64, CP_CODE_element_out_of_range, "/t/0"},
    {"too large for a float", "[1, 1e39]", CP_FLOAT32, CP_CODE_element_out_of_range, "/t/1"},
    {"an empty object", "{}", CP_FLOAT64, CP_CODE_missing_member, "/t"},
    {"no data", "{\"shape\": [1]}", CP_FLOAT64, CP_CODE_missing_member, "/t"},
    {"no shape", "{\"data\": [1]}", CP_FLOAT64, CP_CODE_missing_member, "/t"},
    {"data and base64", "{\"shape\": [1], \"data\": [1], \"base64\": \"\"}", CP_FLOAT64, CP_CODE_conflicting_members,
     "/t"},
    {"an unknown member", "{\"shape\": [1], \"data\": [1], \"order\": \"C\"}", CP_FLOAT64, CP_CODE_unknown_member,
     "/t/order"},
    {"an unknown dtype", "{\"shape\": [1], \"data\": [1], \"dtype\": \"float16\"}", CP_FLOAT64, CP_CODE_unknown_word,
     "/t/dtype"},
    {"a size of 0", "{\"shape\": [0], \"data\": []}", CP_FLOAT64, CP_CODE_out_of_range, "/t/shape/0"},
    {"too few numbers", "{\"shape\": [2, 2], \"data\": [1, 2, 3]}", CP_FLOAT64, CP_CODE_wrong_length, "/t/data"},
    {"nested data", "{\"shape\": [1, 2], \"data\": [[1, 2]]}", CP_FLOAT64, CP_CODE_wrong_length, "/t/data"},
    {"a list as data", "{\"shape\": [1], \"data\": [[1]]}", CP_FLOAT64, CP_CODE_wrong_type, "/t/data/0"},
    {"data that is no list", "{\"shape\": [1], \"data\": 1}", CP_FLOAT64, CP_CODE_wrong_type, "/t/data"},
    {"too many elements", "{\"shape\": [2097153], \"base64\": \"\"}", CP_FLOAT64, CP_CODE_limit_exceeded, "/t/shape"},
    {"sizes beyond counting", "{\"shape\": [9007199254740991, 9], \"base64\": \"\"}", CP_FLOAT64,
     CP_CODE_limit_exceeded, "/t/shape"},
    {"base64 that is no string", TYPED("float64", "\"base64\": 1"), CP_FLOAT64, CP_CODE_wrong_type, "/t/base64"},
    {"base64 too short", TYPED("float64", "\"base64\": \"AAAAAAAA8D8=\""), CP_FLOAT64, CP_CODE_bad_base64, "/t/base64"},
    {"base64 without padding", TYPED("float64", "\"base64\": \"AAAAAAAA8D8AAAAAAAAEQA\""), CP_FLOAT64,
     CP_CODE_bad_base64, "/t/base64"},
    {"base64 of the URL alphabet", TYPED("float64", "\"base64\": \"AAAAAAAA8D8AAAAA_AAEQA==\""), CP_FLOAT64,
     CP_CODE_bad_base64, "/t/base64"},
    {"base64 with a line break", TYPED("float64", "\"base64\": \"AAAAAAAA8D8A\\nAAAAAAEQA==\""), CP_FLOAT64,
     CP_CODE_bad_base64, "/t/base64"},
    {"base64 with padding inside", TYPED("float64", "\"base64\": \"AAA=AAAA8D8AAAAAAAAEQA==\""), CP_FLOAT64,
     CP_CODE_bad_base64, "/t/base64"},
    {"base64 with bits for nothing", TYPED("float64", "\"base64\": \"AAAAAAAA8D8AAAAAAAAEQB==\""), CP_FLOAT64,
     CP_CODE_bad_base64, "/t/base64"},
    {"NaN to an integer", TYPED("float64", "\"base64\": \"AAAAAAAA8D8AAAAAAAD4fw==\""), CP_INT64,
     CP_CODE_element_out_of_range, "/t"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof bad / sizeof bad[0]; at++) {
        struct fixture fixture;
        read_text(&fixture, bad[at].json, bad[at].element);
        const struct cp_problem_error *error = fixture.reader.problems.first;
        if (fixture.right) fail_msg("%s: taken", bad[at].name);
        if (error->code != bad[at].code || !cp_test_is(error->pointer, bad[at].pointer))
            fail_msg("%s: %s at %.*s: %.*s", bad[at].name, cp_statuses[error->code].code, (int)error->pointer.size,
                     error->pointer.bytes, (int)error->detail.size, error->detail.bytes);
        close_fixture(&fixture);
    }
}

/* All that is wrong is said, in the order of the text. */
static const struct {
    const char *name, *json;
    enum cp_element element;
    const char *pointers; /* of each error, and a space after it */
} faults[] = {
    {"words", "[[[\"a\", \"b\", 1]], [[2, null, 3]]]", CP_FLOAT64, "/t/0/0/0 /t/0/0/1 /t/1/0/1 "},
    {"rows of other lengths", "[[1, 2], [3], [4, 5], [6, 7, 8], 9, {}, []]", CP_FLOAT64, "/t/1 /t/3 /t/4 /t/5 /t/6 "},
    {"words in rows of other lengths", "[[1, true], [\"a\"], [4, 5], [6, 7, [8]]]", CP_FLOAT64,
     "/t/0/1 /t/1 /t/1/0 /t/3 /t/3/2 "},
    {"more lists than the first has", "[[[1]], [[2], [\"a\"], [3, 4]], [[5]], [[6, {}]]]", CP_FLOAT64,
     "/t/1 /t/1/1/0 /t/1/2 /t/3/0 /t/3/0/1 "},
    {"integers", "[0.5, 1, 1e300, 2]", CP_INT64, "/t/0 /t/2 "},
    {"floats", "[[1e39], [1], [-1e39]]", CP_FLOAT32, "/t/0/0 /t/2/0 "},
    {"flat", "{\"shape\": [4], \"data\": [1, \"a\", [2], 3]}", CP_FLOAT64, "/t/data/1 /t/data/2 "},
    {"flat, and too long", "{\"shape\": [2], \"data\": [1, \"a\", 2, null]}", CP_FLOAT64,
     "/t/data /t/data/1 /t/data/3 "},
    {"around the data, too", "{\"shape\": [0], \"data\": [1, \"a\"], \"dtype\": \"float\"}", CP_FLOAT64,
     "/t/dtype /t/shape/0 /t/data/1 "},
    {"no shape", "{\"data\": [\"a\", \"b\"]}", CP_FLOAT64, "/t /t/data/0 /t/data/1 "},
    {"a word for base64, of no shape", "{\"shape\": [], \"base64\": 1}", CP_FLOAT64, "/t/shape /t/base64 "},
    {"of another type", TYPED("float64", "\"data\": [0.5, -0.5]"), CP_INT64, "/t /t "},
};

static void test_all_faults(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof faults / sizeof faults[0]; at++) {
        char pointers[256] = "";
        struct fixture fixture;
        read_text(&fixture, faults[at].json, faults[at].element);
        for (const struct cp_problem_error *error = fixture.reader.problems.first; error; error = error->next) {
            strncat(pointers, error->pointer.bytes, error->pointer.size);
            strcat(pointers, " ");
        }
        if (strcmp(pointers, faults[at].pointers) != 0) fail_msg("%s: errors at %s", faults[at].name, pointers);
        close_fixture(&fixture);
    }
}

/* Those past the limit are counted and take no memory for words. */
static void test_many_faults(void **state)
{
    enum { LENGTH = 20000, BYTES_PER_NUMBER = 50 };
    struct cp_test_text json;
    struct fixture fixture;
    (void)state;
    FILE *file = cp_test_begin(&json);
    for (int at = 0; at < LENGTH; at++) fputs(at ? ",\"a\"" : "[\"a\"", file);
    fputs("]", file);
    read_text(&fixture, cp_test_finish(&json).bytes, CP_FLOAT64);
    assert_int_equal(fixture.reader.problems.count, LENGTH);
    assert_in_range(fixture.memory.arena.taken, 0, BYTES_PER_NUMBER * LENGTH);
    close_fixture(&fixture);
    cp_test_free(&json);
}

/* ---- Base64 ------------------------------------------------------------------------------------------------------- */

/* The vectors of RFC 4648 §10. */
static void test_base64_vectors(void **state)
{
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t at = 0; at < sizeof vectors / sizeof vectors[0]; at++) {
        char text[16] = {0}, bytes[16] = {0};
        size_t size = strlen(vectors[at][0]), wrong;
        cp_base64_encode(vectors[at][0], size, text);
        assert_string_equal(text, vectors[at][1]);
        assert_int_equal(strlen(text), cp_base64_size(size));
        assert_true(cp_base64_decode(text, bytes, size, &wrong));
        assert_memory_equal(bytes, vectors[at][0], size);
    }
}

/* Every length up to past all blocks, in exactly as much memory as it takes; and every character in every place: the
 * decoder takes just the one that the encoder writes. */
static void test_base64_exhaustively(void **state)
{
    enum { LONGEST = 50 };
    (void)state;
    for (size_t size = 1; size <= LONGEST; size++) {
        size_t length = cp_base64_size(size), wrong = 0;
        unsigned char *bytes = malloc(size), *back = malloc(size);
        char *text = malloc(length);
        for (size_t at = 0; at < size; at++) bytes[at] = (unsigned char)(at * 167 + size * 31);
        cp_base64_encode(bytes, size, text);
        assert_true(cp_base64_decode(text, back, size, &wrong));
        assert_memory_equal(back, bytes, size);
        for (size_t at = 0; at < length; at++) {
            char kept = text[at];
            for (int other = 0; other < 256; other++) {
                bool known = other && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", other);
                text[at] = (char)other;
                bool taken = cp_base64_decode(text, back, size, &wrong);
                if (taken && text[at] != kept && (!known || memcmp(back, bytes, size) == 0))
                    fail_msg("size %zu: character %d at %zu is taken", size, other, at);
                if (!taken && !known && wrong != at) fail_msg("size %zu: %zu named for %zu", size, wrong, at);
            }
            text[at] = kept;
        }
        free(bytes);
        free(back);
        free(text);
    }
}

static void test_not_finite(void **state)
{
    struct fixture fixture;
    (void)state;
    read_text(&fixture, TYPED("float64", "\"base64\": \"AAAAAAAA8D8AAAAAAAD4fw==\""), CP_FLOAT64);
    assert_true(fixture.right);
    assert_int_equal(cp_tensor_first_not_finite(&fixture.tensor), 1);
    assert_true(cp_test_holds(written(&fixture, CP_TENSOR_BASE64), "AAAAAAAA8D8AAAAAAAD4fw=="));
    close_fixture(&fixture);
    read_text(&fixture, "[1, 2]", CP_FLOAT64);
    assert_int_equal(cp_tensor_first_not_finite(&fixture.tensor), -1);
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_all_faults),
        cmocka_unit_test(test_many_faults),
        cmocka_unit_test(test_base64_vectors),
        cmocka_unit_test(test_base64_exhaustively),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
