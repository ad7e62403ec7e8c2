#include "server/json/tensor.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#include "server/json/base64.h"

const char *const cp_element_names[] = {"float64", "float32", "int64", NULL};
const char *const cp_tensor_encoding_names[] = {"nested", "flat", "base64", NULL};

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are copied as bytes from and to base64");

/* Where a tensor is read. */
struct place {
    struct cp_reader *reader;
    const struct cp_path *at;
    enum cp_element element; /* as the tensor holds it */
};

static void *new_elements(struct cp_arena *arena, int64_t count, enum cp_element element)
{
    return cp_arena_take(arena, (size_t)count * cp_element_bytes(element), alignof(double));
}

static bool check_count(const struct place *place, const struct cp_path *at, int64_t count)
{
    if (count <= CP_MAX_TENSOR_ELEMENTS) return true;
    cp_problem_add(&place->reader->problems, CP_CODE_limit_exceeded, at,
                   CP_ARGUMENTS(cp_words("elements of a tensor"), cp_number(count), cp_number(CP_MAX_TENSOR_ELEMENTS)));
    return false;
}

/* ---- Numbers in JSON ---------------------------------------------------------------------------------------------- */

/* What an error shows of a value; nothing where the error is only counted, as there may be millions of them. */
static struct cp_text shown(const struct place *place, const struct cp_json *value)
{
    if (cp_problems_full(&place->reader->problems)) return (struct cp_text){0};
    return cp_describe_json(place->reader->arena, value);
}

static void refuse_number(const struct place *place, const struct cp_path *at, const struct cp_json *value)
{
    bool large = fabs(cp_json_number(value)) > CP_MAX_COUNT;
    const char *hint = large ? "write integers beyond 2^53 in digits alone, or send base64" : "";
    cp_problem_add(&place->reader->problems, CP_CODE_element_out_of_range, at,
                   CP_ARGUMENTS(cp_words(cp_element_names[place->element]), cp_name(shown(place, value)),
                                cp_words(place->element == CP_INT64 ? hint : "")));
}

/* One element; false when it is none of the type. */
static bool store_number(const struct cp_json *value, enum cp_element element, void *elements, int64_t index)
{
    if (element == CP_INT64) return cp_json_long_integer(value, (int64_t *)elements + index);
    double number = cp_json_number(value);
    float narrow = (float)number;
    if (element == CP_FLOAT32)
        ((float *)elements)[index] = narrow;
    else
        ((double *)elements)[index] = number;
    return element == CP_FLOAT64 || !isinf(narrow);
}

/* The numbers of a list, from element `begin` on; all of them are looked at. */
static bool read_numbers(const struct place *place, const struct cp_json *list, const struct cp_path *at,
                         void *elements, int64_t begin)
{
    int64_t index = 0;
    bool right = true;
    for (const struct cp_json *value = cp_json_first(list); value; value = cp_json_next(value), index++) {
        if (cp_json_type(value) == CP_JSON_NUMBER && store_number(value, place->element, elements, begin + index))
            continue;
        struct cp_path here = CP_PATH_INDEX(at, index);
        if (cp_json_type(value) == CP_JSON_NUMBER)
            refuse_number(place, &here, value);
        else
            cp_read_wrong(place->reader, CP_CODE_wrong_type, &here, "a number", value);
        right = false;
    }
    return right;
}

/* ---- Nested lists ------------------------------------------------------------------------------------------------- */

/* The shape that the first list of every level has. */
static bool shape_of_lists(const struct place *place, const struct cp_json *list, struct cp_shape *shape)
{
    struct cp_path paths[CP_MAX_RANK + 1];
    paths[0] = *place->at;
    for (*shape = (struct cp_shape){0}; list && cp_json_type(list) == CP_JSON_ARRAY; list = cp_json_first(list)) {
        const struct cp_path *at = &paths[shape->rank];
        size_t count = cp_json_count(list);
        if (count == 0) {
            cp_read_wrong(place->reader, CP_CODE_wrong_length, at, "at least 1 element", list);
            return false;
        }
        if (shape->rank == CP_MAX_RANK) {
            cp_read_wrong(place->reader, CP_CODE_wrong_type, at, "a number, after 8 levels of lists", list);
            return false;
        }
        shape->size[shape->rank++] = (int64_t)count;
        paths[shape->rank] = CP_PATH_INDEX(at, 0);
    }
    int64_t count;
    if (!cp_shape_product(shape, 0, shape->rank, &count)) count = CP_MAX_COUNT;
    return check_count(place, place->at, count);
}

/* Does a list have the length of the first of its level? */
static bool is_even(const struct place *place, const struct cp_json *list, const struct cp_path *at, int64_t length)
{
    bool is_list = cp_json_type(list) == CP_JSON_ARRAY;
    struct cp_text before = {0};
    if (is_list && cp_json_count(list) == (size_t)length) return true;
    if (!cp_problems_full(&place->reader->problems))
        before = cp_message(place->reader->arena, length == 1 ? "{0} element" : "{0} elements",
                            CP_ARGUMENTS(cp_number(length)));
    cp_problem_add(&place->reader->problems, CP_CODE_ragged_tensor, at,
                   CP_ARGUMENTS(cp_name(shown(place, list)), cp_name(before)));
    return false;
}

/* Lists that are open, the outermost first. */
struct level {
    struct cp_path path; /* of the list */
    const struct cp_json *next;
    int64_t index; /* of next */
};

/* After a list of another length elements have no place in the tensor any more: they are only looked at. */
static bool read_lists(const struct place *place, const struct cp_json *list, const struct cp_tensor *tensor)
{
    struct level levels[CP_MAX_RANK];
    int depth = 0, last = tensor->shape.rank - 1;
    int64_t done = 0;
    bool even = true, right = true;
    levels[0] = (struct level){*place->at, list, 0};
    const struct cp_json *open = list;
    for (;;) {
        struct level *level = &levels[depth];
        if (!is_even(place, open, &level->path, tensor->shape.size[depth])) even = false;
        level->next = cp_json_type(open) == CP_JSON_ARRAY ? cp_json_first(open) : NULL;
        level->index = 0;
        if (depth == last && level->next) {
            int64_t count = (int64_t)cp_json_count(open);
            void *elements = even ? tensor->data : new_elements(place->reader->arena, count, place->element);
            right = read_numbers(place, open, &level->path, elements, even ? done : 0) && right;
            done += count;
            level->next = NULL;
        }
        while (!levels[depth].next) {
            if (depth-- == 0) return right && even;
            levels[depth].next = cp_json_next(levels[depth].next);
            levels[depth].index++;
        }
        open = levels[depth].next;
        levels[depth + 1].path = CP_PATH_INDEX(&levels[depth].path, levels[depth].index);
        depth++;
    }
}

static bool read_nested(const struct place *place, const struct cp_json *list, struct cp_tensor *tensor)
{
    if (!shape_of_lists(place, list, &tensor->shape)) return false;
    tensor->element = place->element;
    tensor->data = new_elements(place->reader->arena, cp_tensor_count(tensor), place->element);
    return read_lists(place, list, tensor);
}

/* ---- Objects ------------------------------------------------------------------------------------------------------ */

/* `count`, here and below: what the shape asks for; CP_UNKNOWN when that is wrong, and all else is looked at. */
static bool read_data(const struct place *place, const struct cp_json *data, int64_t count, struct cp_tensor *tensor)
{
    struct cp_path at = CP_PATH_MEMBER(place->at, CP_TEXT("data"));
    struct cp_arena *arena = place->reader->arena;
    int64_t found = (int64_t)cp_json_count(data);
    if (cp_json_type(data) != CP_JSON_ARRAY) {
        cp_read_wrong(place->reader, CP_CODE_wrong_type, &at, "a flat list of numbers", data);
        return false;
    }
    if (count != CP_UNKNOWN && count != found) {
        struct cp_text expected = cp_message(arena, "{0} numbers for shape {1}",
                                             CP_ARGUMENTS(cp_number(count), cp_dimensions(&tensor->shape)));
        cp_problem_add(&place->reader->problems, CP_CODE_wrong_length, &at,
                       CP_ARGUMENTS(cp_name(expected), cp_name(cp_describe_json(arena, data))));
    }
    tensor->data = new_elements(arena, found, place->element);
    return read_numbers(place, data, &at, tensor->data, 0) && count == found;
}

static bool refuse_base64(const struct place *place, const struct cp_path *at, const char *pattern,
                          const struct cp_argument *arguments, int argument_count)
{
    struct cp_text why = cp_message(place->reader->arena, pattern, arguments, argument_count);
    cp_problem_add(&place->reader->problems, CP_CODE_bad_base64, at, CP_ARGUMENTS(cp_name(why)));
    return false;
}

static bool read_base64(const struct place *place, const struct cp_json *value, int64_t count, struct cp_tensor *tensor)
{
    struct cp_path at = CP_PATH_MEMBER(place->at, CP_TEXT("base64"));
    size_t bytes = (size_t)count * cp_element_bytes(place->element), wrong;
    if (cp_json_type(value) != CP_JSON_STRING) cp_read_wrong(place->reader, CP_CODE_wrong_type, &at, "a string", value);
    if (cp_json_type(value) != CP_JSON_STRING || count == CP_UNKNOWN) return false;
    struct cp_text text = cp_json_text(value);
    if (text.size != cp_base64_size(bytes))
        return refuse_base64(place, &at,
                             "{0} characters; shape {1} of {2} takes {3} bytes, which are {4} characters with padding",
                             CP_ARGUMENTS(cp_number((int64_t)text.size), cp_dimensions(&tensor->shape),
                                          cp_words(cp_element_names[place->element]), cp_number((int64_t)bytes),
                                          cp_number((int64_t)cp_base64_size(bytes))));
    tensor->data = new_elements(place->reader->arena, count, place->element);
    if (cp_base64_decode(text.bytes, tensor->data, bytes, &wrong)) return true;
    return refuse_base64(place, &at, "no base64 at character {0} of {1}",
                         CP_ARGUMENTS(cp_number((int64_t)wrong), cp_number((int64_t)text.size)));
}

bool cp_tensor_says_element(const struct cp_json *value, enum cp_element *element)
{
    const struct cp_json *dtype = cp_json_member(value, CP_TEXT("dtype"));
    if (!dtype || cp_json_type(dtype) != CP_JSON_STRING) return false;
    for (int at = 0; cp_element_names[at]; at++) {
        if (!cp_text_is(cp_json_text(dtype), cp_element_names[at])) continue;
        *element = (enum cp_element)at;
        return true;
    }
    return false;
}

static bool read_dtype(struct place *place, const struct cp_json *object)
{
    static const struct cp_member words = {.type = CP_MEMBER_WORD, .words = cp_element_names};
    const struct cp_json *value = cp_json_member(object, CP_TEXT("dtype"));
    struct cp_path at = CP_PATH_MEMBER(place->at, CP_TEXT("dtype"));
    uint32_t before = place->reader->problems.count;
    int element = (int)place->element;
    if (value) cp_read_layer_member(place->reader, value, &at, &words, 0, &element);
    place->element = (enum cp_element)element;
    return place->reader->problems.count == before;
}

/* Shape and element type, and which of `data` and `base64` is there; the number of elements, or CP_UNKNOWN. */
static int64_t read_heading(struct place *place, const struct cp_json *object, struct cp_tensor *tensor)
{
    static const char *const members[] = {"shape", "dtype", "data", "base64", NULL};
    struct cp_reader *reader = place->reader;
    uint32_t before = reader->problems.count;
    const struct cp_json *data = cp_json_member(object, CP_TEXT("data"));
    const struct cp_json *base64 = cp_json_member(object, CP_TEXT("base64"));
    const struct cp_json *shape = cp_json_member(object, CP_TEXT("shape"));
    struct cp_path at = CP_PATH_MEMBER(place->at, CP_TEXT("shape"));
    cp_read_known_members(reader, object, place->at, members, 1);
    if (!data == !base64)
        cp_problem_add(&reader->problems, data ? CP_CODE_conflicting_members : CP_CODE_missing_member, place->at,
                       CP_ARGUMENTS(cp_words("data"), cp_words(data ? "base64" : "or base64 in its place")));
    int64_t count = CP_UNKNOWN;
    bool right = read_dtype(place, object);
    right = shape && cp_read_shape(reader, shape, &at, CP_MAX_TENSOR_ELEMENTS, &tensor->shape) && right &&
            cp_shape_product(&tensor->shape, 0, tensor->shape.rank, &count);
    return right && reader->problems.count == before ? count : CP_UNKNOWN;
}

static bool read_object(struct place *place, const struct cp_json *object, struct cp_tensor *tensor)
{
    const struct cp_json *data = cp_json_member(object, CP_TEXT("data"));
    const struct cp_json *base64 = cp_json_member(object, CP_TEXT("base64"));
    int64_t count = read_heading(place, object, tensor);
    tensor->element = place->element;
    bool right = data && read_data(place, data, count, tensor);
    return base64 ? read_base64(place, base64, count, tensor) : right;
}

/* ---- From one element type to another ----------------------------------------------------------------------------- */

static double as_double(const struct cp_tensor *tensor, int64_t index)
{
    switch (tensor->element) {
    case CP_FLOAT32: return ((const float *)tensor->data)[index];
    case CP_INT64: return (double)((const int64_t *)tensor->data)[index];
    default: return ((const double *)tensor->data)[index];
    }
}

static float as_float(const struct cp_tensor *tensor, int64_t index)
{
    if (tensor->element == CP_INT64) return (float)((const int64_t *)tensor->data)[index];
    return (float)as_double(tensor, index);
}

/* −2^63 <= number < 2^63, and integral. */
static bool is_int64(double number)
{
    const double bound = 9223372036854775808.0;
    return number >= -bound && number < bound && number == floor(number);
}

static void refuse_element(const struct place *place, double number, int64_t index)
{
    char digits[CP_NUMBER_ROOM]; /* cppcheck-suppress variableScope; `text` may point to it */
    struct cp_arena *arena = place->reader->arena;
    struct cp_text text = isnan(number) ? CP_TEXT("NaN") : number < 0 ? CP_TEXT("-infinity") : CP_TEXT("infinity");
    if (isfinite(number)) text = (struct cp_text){digits, cp_number_format(number, digits)};
    struct cp_text got = {0};
    if (!cp_problems_full(&place->reader->problems))
        got = cp_message(arena, "element {0}, {1},", CP_ARGUMENTS(cp_number(index), cp_name(text)));
    cp_problem_add(&place->reader->problems, CP_CODE_element_out_of_range, place->at,
                   CP_ARGUMENTS(cp_words("int64"), cp_name(got), cp_words("")));
}

static bool convert(const struct place *place, enum cp_element element, struct cp_tensor *tensor)
{
    int64_t count = cp_tensor_count(tensor);
    bool right = true;
    if (tensor->element == element) return true;
    void *elements = new_elements(place->reader->arena, count, element);
    for (int64_t at = 0; at < count; at++) {
        double number = as_double(tensor, at);
        if (element == CP_FLOAT32) {
            ((float *)elements)[at] = as_float(tensor, at);
        } else if (element == CP_FLOAT64) {
            ((double *)elements)[at] = number;
        } else if (is_int64(number)) {
            ((int64_t *)elements)[at] = (int64_t)number;
        } else {
            refuse_element(place, number, at);
            right = false;
        }
    }
    *tensor = (struct cp_tensor){tensor->shape, element, elements};
    return right;
}

bool cp_read_tensor(struct cp_reader *reader, const struct cp_json *value, const struct cp_path *at,
                    enum cp_element element, struct cp_tensor *tensor)
{
    struct place place = {reader, at, element};
    switch (cp_json_type(value)) {
    case CP_JSON_ARRAY: return read_nested(&place, value, tensor);
    case CP_JSON_OBJECT: return read_object(&place, value, tensor) && convert(&place, element, tensor);
    default:
        cp_read_wrong(reader, CP_CODE_wrong_type, at,
                      "a tensor: nested lists, or an object with shape and data or base64", value);
        return false;
    }
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

int64_t cp_tensor_first_not_finite(const struct cp_tensor *tensor)
{
    int64_t count = cp_tensor_count(tensor);
    if (tensor->element == CP_INT64) return -1;
    for (int64_t at = 0; at < count; at++)
        if (!isfinite(as_double(tensor, at))) return at;
    return -1;
}

/* Elements [begin, end) with commas between. */
static void write_elements(struct cp_writer *writer, const struct cp_tensor *tensor, int64_t begin, int64_t end)
{
    for (int64_t at = begin; at < end; at++) {
        if (tensor->element == CP_INT64)
            cp_write_integer(writer, ((const int64_t *)tensor->data)[at]);
        else
            cp_write_double(writer, as_double(tensor, at));
    }
}

/* Row by row: before each as many brackets open, and after it as many close, as sizes begin and end with it. */
static void write_nested(struct cp_writer *writer, const struct cp_tensor *tensor)
{
    const struct cp_shape *shape = &tensor->shape;
    int64_t row_size = shape->size[shape->rank - 1], count = cp_tensor_count(tensor);
    for (int64_t row = 0; row < count; row += row_size) {
        int64_t block = row_size;
        int open = 1, close = 1;
        for (int dim = shape->rank - 2; dim >= 0; dim--) {
            block *= shape->size[dim];
            open += row % block == 0;
            close += (row + row_size) % block == 0;
        }
        while (open-- > 0) cp_write_array_begin(writer);
        write_elements(writer, tensor, row, row + row_size);
        while (close-- > 0) cp_write_array_end(writer);
    }
}

static void write_base64(struct cp_writer *writer, const struct cp_tensor *tensor)
{
    size_t bytes = (size_t)cp_tensor_count(tensor) * cp_element_bytes(tensor->element);
    size_t size = cp_base64_size(bytes);
    (void)cp_writer_room(writer, size + 2);
    char *out = cp_writer_comma(writer);
    out[0] = out[size + 1] = '"';
    cp_base64_encode(tensor->data, bytes, out + 1);
    cp_writer_end_value(writer, out + size + 2);
}

void cp_write_tensor(struct cp_writer *writer, const struct cp_tensor *tensor, enum cp_tensor_encoding encoding)
{
    if (encoding == CP_TENSOR_NESTED) {
        write_nested(writer, tensor);
        return;
    }
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "shape");
    cp_write_shape(writer, &tensor->shape);
    CP_WRITE_NAME(writer, "dtype");
    cp_write_string(writer, cp_element_names[tensor->element]);
    if (encoding == CP_TENSOR_BASE64) {
        CP_WRITE_NAME(writer, "base64");
        write_base64(writer, tensor);
    } else {
        CP_WRITE_NAME(writer, "data");
        cp_write_array_begin(writer);
        write_elements(writer, tensor, 0, cp_tensor_count(tensor));
        cp_write_array_end(writer);
    }
    cp_write_object_end(writer);
}
