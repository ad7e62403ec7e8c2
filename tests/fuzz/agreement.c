#include "tests/fuzz/agreement.h"

#include <stdio.h>
#include <string.h>

#include "core/limits.h"
#include "tests/contract/schema.h"
#include "tests/fuzz/ask.h"

/* One comparison. */
struct comparison {
    const struct cp_request *request;
    const struct cp_json *asked; /* its body */
    const struct cp_json *reply;
    struct cp_arena *arena;
};

static bool is_true(const struct cp_json *value)
{
    return value && cp_json_type(value) == CP_JSON_TRUE;
}

static bool is_integer(const struct cp_json *value, int64_t *integer)
{
    return value && cp_json_integer(value, integer);
}

static struct cp_text shown(const struct comparison *it, const struct cp_json *value)
{
    struct cp_writer writer;
    if (!value) return CP_TEXT("nothing");
    cp_writer_begin(&writer, it->arena, 64);
    cp_fuzz_write(&writer, value);
    return cp_writer_text(&writer);
}

static void expect_equal(const struct comparison *it, const char *what, const struct cp_json *one,
                         const struct cp_json *other)
{
    if (!one && !other) return;
    struct cp_text difference = CP_TEXT("one is missing");
    if (one && other) difference = cp_json_difference(one, other, false, it->arena);
    if (!difference.size) return;
    struct cp_text first = shown(it, one), second = shown(it, other);
    cp_fuzz_fail(it->request, "%s: %.*s\none   %.*s\nother %.*s", what, CP_FUZZ_SHOWN(difference), CP_FUZZ_SHOWN(first),
                 CP_FUZZ_SHOWN(second));
}

/* ---- Requests made from the one that was asked -------------------------------------------------------------------- */

static void copy_members_but(struct cp_writer *writer, const struct cp_json *object, const char *const *left_out)
{
    for (const struct cp_json *member = cp_json_first(object); member; member = cp_json_next(member)) {
        bool out = false;
        for (const char *const *name = left_out; *name; name++) out = out || cp_text_is(cp_json_name(member), *name);
        if (out) continue;
        cp_write_name(writer, cp_json_name(member));
        cp_fuzz_write(writer, member);
    }
}

static void copy_member(struct cp_writer *writer, const struct cp_json *from, const char *name, const char *as)
{
    const struct cp_json *member = cp_fuzz_member(from, name);
    if (!member) return;
    cp_write_name(writer, cp_text_of(as));
    cp_fuzz_write(writer, member);
}

static const struct cp_json *post(const struct comparison *it, const char *path, const struct cp_writer *writer)
{
    return cp_fuzz_post(path, cp_writer_text(writer), it->arena);
}

/* ---- /v1/shapes --------------------------------------------------------------------------------------------------- */

/* Explained or not, the stack is the same. */
static void check_explained(const struct comparison *it)
{
    static const char *const same[] = {"valid", "output", "totals", "findings"};
    struct cp_writer writer;
    cp_writer_begin(&writer, it->arena, 64);
    cp_write_object_begin(&writer);
    copy_members_but(&writer, it->asked, (const char *const[]){"explain", NULL});
    cp_write_name(&writer, CP_TEXT("explain"));
    cp_write_boolean(&writer, !is_true(cp_fuzz_member(it->asked, "explain")));
    cp_write_object_end(&writer);
    const struct cp_json *other = post(it, "/v1/shapes", &writer);
    for (size_t at = 0; at < sizeof same / sizeof *same; at++)
        expect_equal(it, same[at], cp_fuzz_member(it->reply, same[at]), cp_fuzz_member(other, same[at]));
}

static void write_expecting_layer(struct cp_writer *writer, const struct cp_json *asked, const struct cp_json *planned)
{
    cp_write_object_begin(writer);
    copy_members_but(writer, asked, (const char *const[]){"expect", NULL});
    copy_member(writer, planned, "output", "expect");
    cp_write_object_end(writer);
}

/* Each layer with its own output as what its author expects: a plan that differs in nothing but what was expected. */
static void check_expected(const struct comparison *it)
{
    const struct cp_json *layers = cp_fuzz_member(it->reply, "layers");
    if (!is_true(cp_fuzz_member(it->reply, "valid"))) return;
    struct cp_writer writer;
    cp_writer_begin(&writer, it->arena, 64);
    cp_write_object_begin(&writer);
    copy_members_but(&writer, it->asked, (const char *const[]){"layers", NULL});
    cp_write_name(&writer, CP_TEXT("layers"));
    cp_write_array_begin(&writer);
    const struct cp_json *asked = cp_json_first(cp_fuzz_member(it->asked, "layers"));
    for (const struct cp_json *planned = cp_json_first(layers); planned; planned = cp_json_next(planned)) {
        write_expecting_layer(&writer, asked, planned);
        asked = cp_json_next(asked);
    }
    cp_write_array_end(&writer);
    cp_write_object_end(&writer);
    expect_equal(it, "with what it expects", it->reply, post(it, "/v1/shapes", &writer));
}

/* A total is the sum of its layers', or not known where one of them is not. */
static void check_total(const struct comparison *it, const char *name)
{
    int64_t total, sum = 0;
    bool known = true;
    const struct cp_json *layers = cp_fuzz_member(it->reply, "layers");
    for (const struct cp_json *layer = cp_json_first(layers); layer; layer = cp_json_next(layer)) {
        int64_t one;
        known = known && is_integer(cp_fuzz_member(layer, name), &one);
        if (known) sum += one; /* each is below 2^53, and there are fewer than 2^10 in a fuzzer's request */
    }
    bool given = is_integer(cp_fuzz_member(cp_fuzz_member(it->reply, "totals"), name), &total);
    if (given && (!known || total != sum))
        cp_fuzz_fail(it->request, "the total of %s is %lld, and not the sum", name, (long long)total);
}

static void check_shapes(const struct comparison *it)
{
    check_explained(it);
    check_expected(it);
    check_total(it, "params");
    check_total(it, "macs");
}

/* ---- /v1/decoder and /v1/roundtrip -------------------------------------------------------------------------------- */

static void check_decoder(const struct comparison *it)
{
    const struct cp_json *decoder = cp_fuzz_member(it->reply, "decoder");
    if (!decoder || cp_json_type(decoder) != CP_JSON_ARRAY || !cp_json_first(decoder)) return;
    struct cp_writer writer;
    cp_writer_begin(&writer, it->arena, 64);
    cp_write_object_begin(&writer);
    copy_members_but(&writer, it->asked, (const char *const[]){"pool_inverse", "decoder", NULL});
    copy_member(&writer, it->reply, "decoder", "decoder");
    cp_write_object_end(&writer);
    const struct cp_json *judged = post(it, "/v1/roundtrip", &writer);
    expect_equal(it, "the proof", cp_fuzz_member(it->reply, "roundtrip"), judged);
    if (is_true(cp_fuzz_member(it->reply, "valid")) && !is_true(cp_fuzz_member(judged, "valid")))
        cp_fuzz_fail(it->request, "the decoder does not undo its encoder");
}

/* ---- /v1/convolve ------------------------------------------------------------------------------------------------- */

/* The shape of a tensor as the request has it; its nesting, or its member. */
static void write_shape_of(struct cp_writer *writer, const struct cp_json *tensor)
{
    const struct cp_json *shape = cp_fuzz_member(tensor, "shape");
    if (shape) {
        cp_fuzz_write(writer, shape);
        return;
    }
    cp_write_array_begin(writer);
    for (; tensor && cp_json_type(tensor) == CP_JSON_ARRAY; tensor = cp_json_first(tensor))
        cp_write_integer(writer, (int64_t)cp_json_count(tensor));
    cp_write_array_end(writer);
}

static void check_convolve(const struct comparison *it)
{
    const struct cp_json *input = cp_fuzz_member(it->asked, "input");
    const struct cp_json *direction = cp_fuzz_member(it->asked, "direction");
    if (!input || (direction && !cp_text_is(cp_json_text(direction), "forward"))) return;
    struct cp_writer writer;
    cp_writer_begin(&writer, it->arena, 64);
    cp_write_object_begin(&writer);
    cp_write_name(&writer, CP_TEXT("input"));
    write_shape_of(&writer, input);
    cp_write_name(&writer, CP_TEXT("layers"));
    cp_write_array_begin(&writer);
    cp_fuzz_write(&writer, cp_fuzz_member(it->asked, "layer"));
    cp_write_array_end(&writer);
    cp_write_object_end(&writer);
    const struct cp_json *planned = post(it, "/v1/shapes", &writer);
    expect_equal(it, "shape", cp_fuzz_member(it->reply, "shape"), cp_fuzz_member(planned, "output"));
}

/* ---- /v1/sizes ---------------------------------------------------------------------------------------------------- */

static bool holds(const struct cp_json *list, int64_t number)
{
    int64_t one;
    for (const struct cp_json *at = cp_json_first(list); at; at = cp_json_next(at))
        if (is_integer(at, &one) && one == number) return true;
    return false;
}

/* Does the law of a symbol admit this size? */
static bool admits(const struct cp_json *law, int64_t size)
{
    int64_t from = 0, period = 1;
    is_integer(cp_fuzz_member(law, "from"), &from);
    is_integer(cp_fuzz_member(law, "period"), &period);
    if (size < from) return holds(cp_fuzz_member(law, "exceptions"), size);
    return holds(cp_fuzz_member(law, "residues"), size % period);
}

/* A size for every symbol: `size` for this one, the smallest that works for another; 0: none works. */
static int64_t size_for(const struct comparison *it, struct cp_text symbol, struct cp_text this, int64_t size)
{
    int64_t smallest = 0;
    if (cp_text_equal(symbol, this)) return size;
    const struct cp_json *law = cp_json_member(cp_fuzz_member(it->reply, "symbols"), symbol);
    return law && is_integer(cp_fuzz_member(law, "minimum"), &smallest) ? smallest : 0;
}

/* A shape with its symbols filled in; false where that cannot be. */
static bool write_filled(struct cp_writer *writer, const struct comparison *it, const struct cp_json *shape,
                         struct cp_text symbol, int64_t size)
{
    bool filled = true;
    cp_write_array_begin(writer);
    for (const struct cp_json *at = cp_json_first(shape); at; at = cp_json_next(at)) {
        bool number = cp_json_type(at) == CP_JSON_NUMBER;
        int64_t value = number ? 1 : size_for(it, cp_json_text(at), symbol, size);
        filled = filled && value > 0;
        if (number)
            cp_fuzz_write(writer, at);
        else
            cp_write_integer(writer, value);
    }
    cp_write_array_end(writer);
    return filled;
}

static bool write_filled_inputs(struct cp_writer *writer, const struct comparison *it, struct cp_text symbol,
                                int64_t size)
{
    const struct cp_json *input = cp_fuzz_member(it->asked, "input");
    const struct cp_json *inputs = cp_fuzz_member(it->asked, "inputs");
    if (input) {
        cp_write_name(writer, CP_TEXT("input"));
        return write_filled(writer, it, input, symbol, size);
    }
    bool filled = true;
    cp_write_name(writer, CP_TEXT("inputs"));
    cp_write_object_begin(writer);
    for (const struct cp_json *one = cp_json_first(inputs); one; one = cp_json_next(one)) {
        cp_write_name(writer, cp_json_name(one));
        filled = write_filled(writer, it, one, symbol, size) && filled;
    }
    cp_write_object_end(writer);
    return filled;
}

/* Numbers that no longer can be counted decide about a plan, and not about sizes. */
static bool is_beyond_count(const struct cp_json *reply)
{
    const struct cp_json *findings = cp_fuzz_member(reply, "findings");
    for (const struct cp_json *one = cp_json_first(findings); one; one = cp_json_next(one)) {
        const struct cp_json *code = cp_fuzz_member(one, "code");
        if (code && cp_text_is(cp_json_text(code), "count_overflow")) return true;
    }
    return false;
}

/* Plan with the number in the symbol's place. */
static void check_size(const struct comparison *it, const struct cp_json *law, int64_t size)
{
    struct cp_writer writer;
    cp_writer_begin(&writer, it->arena, 64);
    cp_write_object_begin(&writer);
    copy_members_but(&writer, it->asked, (const char *const[]){"input", "inputs", "near", NULL});
    if (!write_filled_inputs(&writer, it, cp_json_name(law), size)) return;
    cp_write_object_end(&writer);
    bool pair = cp_fuzz_member(it->asked, "encoder");
    const struct cp_json *planned = post(it, pair ? "/v1/roundtrip" : "/v1/shapes", &writer);
    if (!planned || is_beyond_count(planned)) return;
    if (is_true(cp_fuzz_member(planned, "valid")) == admits(law, size)) return;
    struct cp_text text = shown(it, planned), said = shown(it, law);
    cp_fuzz_fail(it->request, "%lld is%s a size that works by the law\n%.*s\nbut its plan says\n%.*s", (long long)size,
                 admits(law, size) ? "" : " not", CP_FUZZ_SHOWN(said), CP_FUZZ_SHOWN(text));
}

static bool is_cut(const struct cp_json *law)
{
    enum { SHORTEST = CP_MAX_SIZES_LISTED };
    return cp_json_count(cp_fuzz_member(law, "residues")) >= SHORTEST ||
           cp_json_count(cp_fuzz_member(law, "exceptions")) >= SHORTEST;
}

static void check_sizes(const struct comparison *it)
{
    const struct cp_json *symbols = cp_fuzz_member(it->reply, "symbols");
    for (const struct cp_json *law = cp_json_first(symbols); law; law = cp_json_next(law)) {
        int64_t from = 1, period = 1, minimum = 1;
        is_integer(cp_fuzz_member(law, "from"), &from);
        is_integer(cp_fuzz_member(law, "period"), &period);
        is_integer(cp_fuzz_member(law, "minimum"), &minimum);
        const int64_t sizes[] = {1,
                                 2,
                                 minimum,
                                 minimum + 1,
                                 from > 1 ? from - 1 : 1,
                                 from,
                                 from + 1,
                                 from + period - 1,
                                 from + 3 * period,
                                 from + period / 2,
                                 minimum + 7,
                                 from + 29,
                                 97};
        if (is_cut(law)) continue;
        for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) check_size(it, law, sizes[at]);
    }
}

/* ---- /v1/solve ---------------------------------------------------------------------------------------------------- */

/* The layer of one axis that a solution stands for. */
static void write_solved_layer(struct cp_writer *writer, struct cp_text type, const struct cp_json *solution)
{
    static const char *const of_conv[] = {"relationship", "input", "ceil_mode", NULL};
    static const char *const of_max_pool[] = {"relationship", "input", NULL};
    static const char *const of_pool[] = {"relationship", "input", "dilation", NULL};
    char name[32];
    bool convolution = type.size >= 4 && memcmp(type.bytes, "Conv", 4) == 0;
    bool max_pool = type.size >= 3 && memcmp(type.bytes, "Max", 3) == 0;
    size_t digit = 0;
    while (digit < type.size && (type.bytes[digit] < '0' || type.bytes[digit] > '9')) digit++;
    snprintf(name, sizeof name, "%.*s1d", (int)digit, type.bytes);
    cp_write_object_begin(writer);
    cp_write_name(writer, CP_TEXT("type"));
    cp_write_text(writer, cp_text_of(name));
    if (type.size >= 6 && memcmp(type.bytes, "LPPool", 6) == 0) {
        cp_write_name(writer, CP_TEXT("norm_type"));
        cp_write_integer(writer, 2);
    }
    if (convolution) {
        cp_write_name(writer, CP_TEXT("out_channels"));
        cp_write_integer(writer, 1);
    }
    copy_members_but(writer, solution, convolution ? of_conv : max_pool ? of_max_pool : of_pool);
    cp_write_object_end(writer);
}

/* An LPPool has no padding, so a solution that needs some is none of a layer. */
static void check_solution(const struct comparison *it, const struct cp_json *solution, int64_t input, int64_t output)
{
    struct cp_writer writer;
    int64_t size = 0;
    struct cp_text type = cp_json_text(cp_fuzz_member(it->asked, "type"));
    cp_writer_begin(&writer, it->arena, 64);
    cp_write_object_begin(&writer);
    cp_write_name(&writer, CP_TEXT("input"));
    cp_write_array_begin(&writer);
    cp_write_integer(&writer, 1);
    cp_write_integer(&writer, 1);
    cp_write_integer(&writer, input);
    cp_write_array_end(&writer);
    cp_write_name(&writer, CP_TEXT("layers"));
    cp_write_array_begin(&writer);
    write_solved_layer(&writer, type, solution);
    cp_write_array_end(&writer);
    cp_write_object_end(&writer);
    const struct cp_json *planned = post(it, "/v1/shapes", &writer);
    const struct cp_json *shape = cp_fuzz_member(planned, "output");
    if (shape && cp_json_count(shape) == 3) is_integer(cp_json_next(cp_json_next(cp_json_first(shape))), &size);
    if (size == output) return;
    struct cp_text text = planned ? shown(it, planned) : CP_TEXT("no plan"), said = shown(it, solution);
    cp_fuzz_fail(it->request, "input %lld, output %lld is no solution: %.*s: %.*s", (long long)input, (long long)output,
                 CP_FUZZ_SHOWN(said), CP_FUZZ_SHOWN(text));
}

/* The size of an axis in a member that is a number or a list; false where it is absent. */
static bool size_of_axis(const struct cp_json *member, size_t axis, int64_t *size)
{
    if (member && cp_json_type(member) == CP_JSON_ARRAY) {
        member = cp_json_first(member);
        while (member && axis--) member = cp_json_next(member);
    }
    return is_integer(member, size);
}

static void check_solutions(const struct comparison *it, const struct cp_json *axis, size_t index)
{
    enum { TRIED = 5 };
    int64_t input, output = 0, least, most;
    int tried = 0;
    bool has_input = size_of_axis(cp_fuzz_member(it->asked, "input"), index, &input);
    size_of_axis(cp_fuzz_member(it->asked, "output"), index, &output);
    const struct cp_json *solution = cp_json_first(cp_fuzz_member(axis, "solutions"));
    for (; solution && tried < TRIED; solution = cp_json_next(solution), tried++) {
        const struct cp_json *range = cp_fuzz_member(solution, "input");
        if (has_input) {
            check_solution(it, solution, input, output);
        } else if (is_integer(cp_fuzz_member(range, "min"), &least) &&
                   is_integer(cp_fuzz_member(range, "max"), &most)) {
            check_solution(it, solution, least, output);
            check_solution(it, solution, most, output);
        }
    }
}

static void check_solve(const struct comparison *it)
{
    const struct cp_json *axes = cp_fuzz_member(it->reply, "axes");
    if (!axes) {
        check_solutions(it, it->reply, 0);
        return;
    }
    size_t index = 0;
    for (const struct cp_json *axis = cp_json_first(axes); axis; axis = cp_json_next(axis))
        check_solutions(it, axis, index++);
}

/* ---- All of them -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *path;
    void (*check)(const struct comparison *it);
} agreements[] = {
    {"/v1/shapes", check_shapes}, {"/v1/decoder", check_decoder}, {"/v1/convolve", check_convolve},
    {"/v1/sizes", check_sizes},   {"/v1/solve", check_solve},
};

void cp_check_agreement(const struct cp_request *request, const struct cp_json *reply)
{
    struct cp_exact_memory memory;
    struct cp_json_error error;
    if (request->method != CP_POST) return;
    cp_exact_memory_open(&memory);
    struct comparison it = {.request = request, .reply = reply, .arena = &memory.arena};
    it.asked = cp_json_parse(it.arena, request->body.bytes, request->body.size, &error);
    for (size_t at = 0; it.asked && at < sizeof agreements / sizeof *agreements; at++)
        if (cp_text_is(request->path, agreements[at].path)) agreements[at].check(&it);
    cp_exact_memory_close(&memory);
}
