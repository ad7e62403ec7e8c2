/* Mutations that keep JSON what it is, so that a fuzzer gets past the parser: values are replaced, copied, moved and
 * taken away as wholes, and layers get members of their kinds' tables. One time in three libFuzzer's own mutations of
 * bytes; they alone where the input holds no brackets. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/layer.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { MOST_SPANS = 1024, MOST_WORD_BYTES = 512 };

struct span {
    size_t begin, end;
};

struct mutation {
    char *bytes;
    size_t size, max_size;
    uint64_t random;
    struct span spans[MOST_SPANS]; /* strings, names among them, numbers, literals, lists and objects */
    size_t count;
};

static size_t pick(struct mutation *mutation, size_t choices)
{
    mutation->random = mutation->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(mutation->random >> 33) % choices;
}

/* ---- Spans -------------------------------------------------------------------------------------------------------- */

static size_t end_of_string(const struct mutation *it, size_t quote)
{
    size_t at = quote + 1;
    while (at < it->size && it->bytes[at] != '"') at += it->bytes[at] == '\\' ? 2 : 1;
    return at < it->size ? at + 1 : it->size;
}

static size_t end_of_word(const struct mutation *it, size_t at)
{
    while (at < it->size && !strchr(",:[]{}\" \n\t\r", it->bytes[at])) at++;
    return at;
}

static void add_span(struct mutation *it, size_t begin, size_t end)
{
    if (it->count < MOST_SPANS) it->spans[it->count++] = (struct span){begin, end};
}

/* From the first bracket on; what is not closed ends with the text. */
static void find_spans(struct mutation *it)
{
    enum { DEEPEST = 64 };
    size_t open[DEEPEST], depth = 0, at = 0;
    while (at < it->size && !strchr("[{", it->bytes[at])) at++;
    while (at < it->size) {
        size_t begin = at++;
        char byte = it->bytes[begin];
        if (byte == '[' || byte == '{') {
            if (depth < DEEPEST) open[depth++] = begin;
        } else if (byte == ']' || byte == '}') {
            if (depth > 0) add_span(it, open[--depth], at);
        } else if (byte == '"') {
            at = end_of_string(it, begin);
            add_span(it, begin, at);
        } else if (byte && !strchr(",: \n\t\r", byte)) {
            at = end_of_word(it, begin + 1);
            add_span(it, begin, at);
        }
    }
}

static struct span pick_span(struct mutation *it)
{
    return it->spans[pick(it, it->count)];
}

/* Put `size` bytes, which are none of the text's own, in the place of a span. */
static void replace(struct mutation *it, struct span span, const char *bytes, size_t size)
{
    if (it->size - (span.end - span.begin) + size > it->max_size) return;
    memmove(it->bytes + span.begin + size, it->bytes + span.end, it->size - span.end);
    memcpy(it->bytes + span.begin, bytes, size);
    it->size = it->size - (span.end - span.begin) + size;
}

/* ---- Values ------------------------------------------------------------------------------------------------------- */

static const char *const numbers[] = {"0",
                                      "1",
                                      "2",
                                      "3",
                                      "4",
                                      "5",
                                      "7",
                                      "8",
                                      "16",
                                      "-1",
                                      "-2",
                                      "31",
                                      "32",
                                      "64",
                                      "127",
                                      "224",
                                      "1000",
                                      "65535",
                                      "1.0",
                                      "1e1",
                                      "0.5",
                                      "1.5",
                                      "2.5",
                                      "-0.0",
                                      "1e-9",
                                      "1e308",
                                      "1e309",
                                      "67108864",
                                      "2147483647",
                                      "4294967296",
                                      "9007199254740991",
                                      "9007199254740992",
                                      "3e9",
                                      "94906",
                                      "100000",
                                      "1048576",
                                      "1.00001",
                                      "1e15",
                                      "-9223372036854775808"};

static const char *const words[] = {"null",
                                    "true",
                                    "false",
                                    "[]",
                                    "{}",
                                    "\"\"",
                                    "\"same\"",
                                    "\"same_upper\"",
                                    "\"n\"",
                                    "\"h\"",
                                    "\"w\"",
                                    "\"valid\"",
                                    "\"half\"",
                                    "\"full\"",
                                    "\"input\"",
                                    "\"same_lower\"",
                                    "[1,1]",
                                    "[0,1]",
                                    "[[1,0]]",
                                    "[2,2,2]",
                                    "[1,3,8,8]",
                                    "[null,null]",
                                    "[1,2,9]",
                                    "[[0,1],[1,0]]",
                                    "\"\\u00e9\"",
                                    "\"float32\"",
                                    "\"int64\"",
                                    "\"backward_input\"",
                                    "\"backward_weight\"",
                                    "\"matrix\"",
                                    "\"emulated\"",
                                    "\"gradient\"",
                                    "\"base64\"",
                                    "\"flat\"",
                                    "\"channels_last\"",
                                    "{\"min\":1,\"max\":4}"};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct cp_layer_type *pick_type(struct mutation *it)
{
    return &cp_layer_types[pick(it, (size_t)cp_layer_type_count)];
}

/* A value out of nothing. */
static size_t make_value(struct mutation *it, char *word)
{
    int size;
    switch (pick(it, 4)) {
    case 0: size = snprintf(word, MOST_WORD_BYTES, "\"%s\"", pick_type(it)->name); break;
    case 1: size = snprintf(word, MOST_WORD_BYTES, "%s", words[pick(it, COUNT(words))]); break;
    default: size = snprintf(word, MOST_WORD_BYTES, "%s", numbers[pick(it, COUNT(numbers))]); break;
    }
    return (size_t)size;
}

static void replace_by_made(struct mutation *it)
{
    char word[MOST_WORD_BYTES];
    size_t size = make_value(it, word);
    replace(it, pick_span(it), word, size);
}

static void replace_by_copy(struct mutation *it)
{
    struct span from = pick_span(it), to = pick_span(it);
    size_t size = from.end - from.begin;
    char *copy = malloc(size + 1);
    if (!copy) return;
    memcpy(copy, it->bytes + from.begin, size);
    replace(it, to, copy, size);
    free(copy);
}

/* The number a little larger or smaller. */
static void nudge(struct mutation *it)
{
    char word[MOST_WORD_BYTES];
    for (int tries = 0; tries < 16; tries++) {
        struct span span = pick_span(it);
        if (it->bytes[span.begin] < '0' || it->bytes[span.begin] > '9' ||
            span.end - span.begin > 15 /* digits of an int64 */)
            continue;
        char digits[16] = "";
        memcpy(digits, it->bytes + span.begin, span.end - span.begin);
        long long number = strtoll(digits, NULL, 10);
        int size = snprintf(word, sizeof word, "%lld", number + (pick(it, 2) ? 1 : -1) * (1 + (long long)pick(it, 3)));
        replace(it, span, word, (size_t)size);
        return;
    }
}

/* ---- Elements and members ----------------------------------------------------------------------------------------- */

/* Take a value away, with its name and a comma beside it. */
static void take_away(struct mutation *it)
{
    struct span span = pick_span(it);
    size_t begin = span.begin, end = span.end;
    while (begin > 0 && !strchr(",[{", it->bytes[begin - 1])) begin--;
    if (end < it->size && it->bytes[end] == ',')
        end++;
    else if (begin > 0 && it->bytes[begin - 1] == ',')
        begin--;
    replace(it, (struct span){begin, end}, "", 0);
}

static void repeat_element(struct mutation *it)
{
    struct span from = pick_span(it);
    size_t size = from.end - from.begin;
    char *copy = malloc(size + 1);
    if (!copy) return;
    copy[0] = ',';
    memcpy(copy + 1, it->bytes + from.begin, size);
    for (size_t times = 1 + pick(it, 2); times > 0; times--)
        replace(it, (struct span){from.end, from.end}, copy, size + 1);
    free(copy);
}

/* Another member at the beginning of an object: one that some kind has. */
static void add_member(struct mutation *it)
{
    char word[MOST_WORD_BYTES], value[MOST_WORD_BYTES];
    const struct cp_layer_kind *kind = pick_type(it)->kind;
    if (kind->member_count == 0) return;
    value[make_value(it, value)] = '\0';
    for (int tries = 0; tries < 16; tries++) {
        struct span span = pick_span(it);
        if (it->bytes[span.begin] != '{' || span.end - span.begin < 3) continue;
        int size = snprintf(word, sizeof word, "\"%s\":%.200s,",
                            kind->members[pick(it, (size_t)kind->member_count)].name.bytes, value);
        replace(it, (struct span){span.begin + 1, span.begin + 1}, word, (size_t)size);
        return;
    }
}

/* Another layer behind one. */
static void add_layer(struct mutation *it)
{
    char word[MOST_WORD_BYTES];
    static const char *const members[] = {"",
                                          ",\"kernel_size\":2",
                                          ",\"out_channels\":4,\"kernel_size\":3",
                                          ",\"output_size\":3",
                                          ",\"scale_factor\":2",
                                          ",\"padding\":1",
                                          ",\"out_features\":5",
                                          ",\"dims\":[0,1,3,2]",
                                          ",\"upscale_factor\":2",
                                          ",\"from\":[\"input\"]",
                                          ",\"name\":\"a\"",
                                          ",\"dim\":1"};
    for (int tries = 0; tries < 16; tries++) {
        struct span span = pick_span(it);
        if (it->bytes[span.begin] != '{') continue;
        int size =
            snprintf(word, sizeof word, ",{\"type\":\"%s\"%s}", pick_type(it)->name, members[pick(it, COUNT(members))]);
        replace(it, (struct span){span.end, span.end}, word, (size_t)size);
        return;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static void (*const mutations[])(struct mutation * it) = {
        replace_by_made, replace_by_made, replace_by_copy, nudge, take_away, repeat_element, add_member, add_layer};
    static struct mutation mutation;
    struct mutation *it = &mutation;
    *it = (struct mutation){.bytes = (char *)data, .size = size, .max_size = max_size, .random = seed};
    size_t choice = pick(it, 3);
    if (choice > 0) find_spans(it);
    if (it->count == 0) return LLVMFuzzerMutate(data, size, max_size);
    for (size_t times = 1 + pick(it, 3); times > 0 && it->count > 0; times--) {
        mutations[pick(it, COUNT(mutations))](it);
        it->count = 0;
        find_spans(it);
    }
    return it->size;
}
