#include "server/formats/locate.h"

#include <stdbool.h>

void cp_locator_begin(struct cp_locator *locator, struct cp_text json)
{
    *locator = (struct cp_locator){.json = json, .index = -1, .position = {1, 1}};
}

/* ---- Steps through the text: each takes an offset and returns one, at most the text's size ------------------------ */

static size_t skip_space(struct cp_text json, size_t at)
{
    while (at < json.size &&
           (json.bytes[at] == ' ' || json.bytes[at] == '\t' || json.bytes[at] == '\n' || json.bytes[at] == '\r'))
        at++;
    return at;
}

/* From an opening quote to after the closing one. */
static size_t skip_string(struct cp_text json, size_t at)
{
    for (at++; at < json.size && json.bytes[at] != '"'; at++)
        if (json.bytes[at] == '\\') at++;
    return at < json.size ? at + 1 : json.size;
}

/* To the comma or bracket after a value. */
static size_t skip_value(struct cp_text json, size_t at)
{
    int64_t depth = 0;
    while (at < json.size) {
        char byte = json.bytes[at];
        if (byte == '"') {
            at = skip_string(json, at);
            continue;
        }
        if (depth == 0 && (byte == ',' || byte == ']' || byte == '}')) return at;
        if (byte == '[' || byte == '{') depth++;
        if (byte == ']' || byte == '}') depth--;
        at++;
    }
    return at;
}

/* Past the comma to the next child; false where there is none. */
static bool next_child(struct cp_text json, size_t *at)
{
    *at = skip_space(json, skip_value(json, *at));
    if (*at >= json.size || json.bytes[*at] != ',') return false;
    *at = skip_space(json, *at + 1);
    return *at < json.size;
}

/* Whether a step of a pointer, with its ~0 and ~1, spells this name. */
static bool spells(struct cp_text step, struct cp_text name)
{
    size_t used = 0;
    for (size_t at = 0; at < step.size; at++, used++) {
        char letter = step.bytes[at];
        if (letter == '~' && at + 1 < step.size) letter = step.bytes[++at] == '1' ? '/' : '~';
        if (used == name.size || name.bytes[used] != letter) return false;
    }
    return used == name.size;
}

/* From the first member's name to that of the one with the step's name; its value's beginning goes to *value. */
static bool find_member(struct cp_text json, size_t *at, struct cp_text step, size_t *value)
{
    do {
        if (json.bytes[*at] != '"') return false;
        size_t end = skip_string(json, *at);
        struct cp_text name = {json.bytes + *at + 1, end - *at < 2 ? 0 : end - *at - 2};
        *value = skip_space(json, end);
        if (*value >= json.size || json.bytes[*value] != ':') return false;
        *value = skip_space(json, *value + 1);
        if (spells(step, name)) return *value < json.size;
        size_t child = *value;
        if (!next_child(json, &child)) return false;
        *at = child;
    } while (true);
}

static int64_t index_of(struct cp_text step)
{
    enum { MOST_DIGITS = 12 };
    int64_t index = 0;
    if (!step.size || step.size > MOST_DIGITS) return -1;
    for (size_t at = 0; at < step.size; at++) {
        if (step.bytes[at] < '0' || step.bytes[at] > '9') return -1;
        index = 10 * index + (step.bytes[at] - '0');
    }
    return index;
}

static bool find_element(struct cp_text json, size_t *at, int64_t from, int64_t index)
{
    if (index < from || json.bytes[*at] == ']') return false;
    for (; from < index; from++)
        if (!next_child(json, at)) return false;
    return true;
}

/* ---- Pointers ----------------------------------------------------------------------------------------------------- */

static struct cp_text take_step(struct cp_text *pointer)
{
    pointer->bytes++;
    pointer->size--;
    const char *slash = memchr(pointer->bytes, '/', pointer->size);
    struct cp_text step = {pointer->bytes, slash ? (size_t)(slash - pointer->bytes) : pointer->size};
    pointer->bytes += step.size;
    pointer->size -= step.size;
    return step;
}

/* The element of the list that the last pointer went through, if this one goes there or further. */
static bool resume(struct cp_locator *locator, struct cp_text *pointer, size_t *value)
{
    struct cp_text rest = *pointer;
    if (locator->index < 0 || !rest.size || !cp_text_equal(take_step(&rest), locator->list) || !rest.size) return false;
    int64_t index = index_of(take_step(&rest));
    size_t at = locator->element;
    if (!find_element(locator->json, &at, locator->index, index)) return false;
    locator->index = index;
    locator->element = *value = at;
    *pointer = rest;
    return true;
}

static void remember(struct cp_locator *locator, int depth, struct cp_text step, size_t value)
{
    if (depth == 0) locator->list = step, locator->index = -1;
    if (depth == 1) locator->index = index_of(step), locator->element = value;
}

size_t cp_locate(struct cp_locator *locator, struct cp_text pointer)
{
    struct cp_text json = locator->json;
    size_t value = skip_space(json, 0);
    size_t found = value;
    bool resumed = resume(locator, &pointer, &value);
    if (resumed) found = value;
    for (int depth = resumed ? 2 : 0; pointer.size && value < json.size; depth++) {
        struct cp_text step = take_step(&pointer);
        bool in_list = json.bytes[value] == '[';
        size_t at = skip_space(json, value + 1);
        if ((!in_list && json.bytes[value] != '{') || at >= json.size) break;
        if (in_list ? !find_element(json, &at, 0, index_of(step)) : !find_member(json, &at, step, &value)) break;
        if (in_list) value = at;
        found = at;
        if (in_list == (depth == 1)) remember(locator, depth, step, value);
    }
    return found;
}

struct cp_position cp_locator_position(struct cp_locator *locator, size_t offset)
{
    if (offset > locator->json.size) offset = locator->json.size;
    if (offset < locator->offset) {
        locator->offset = 0;
        locator->position = (struct cp_position){1, 1};
    }
    for (; locator->offset < offset; locator->offset++) {
        unsigned char byte = (unsigned char)locator->json.bytes[locator->offset];
        if (byte == '\n')
            locator->position = (struct cp_position){locator->position.line + 1, 1};
        else if ((byte & 0xC0) != 0x80)
            locator->position.column++;
    }
    return locator->position;
}
