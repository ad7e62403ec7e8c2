/* POST /v1/convolve: a small reference convolution, really computed. */
#include <math.h>

#include "core/checked.h"
#include "server/budgets.h"
#include "server/convolve_includes.h"
#include "server/endpoints/endpoints.h"
#include "server/state.h"

/* What a method gave, beside the direct one. */
struct check {
    enum cp_method method;
    struct cp_reference_cost cost;
    struct cp_tensor result;
    double difference; /* NaN where it is no number */
};

struct answer {
    struct cp_tensor result;
    struct check checks[CP_METHOD_COUNT];
    int check_count; /* of the methods that are run: one, or all that apply */
    int included_count;
    struct cp_included included[CP_MOST_INCLUDED];
};

/* ---- Limits ------------------------------------------------------------------------------------------------------- */

static bool within(struct cp_reader *reader, const char *what, int64_t got, int64_t limit)
{
    if (got <= limit) return true;
    struct cp_argument number = got < CP_MAX_COUNT ? cp_number(got) : cp_words("over 2^53 − 1");
    cp_problem_add(&reader->problems, CP_CODE_limit_exceeded, NULL,
                   CP_ARGUMENTS(cp_words(what), number, cp_number(limit)));
    return false;
}

/* A sum that stays at CP_MAX_COUNT. */
static int64_t add_up(int64_t a, int64_t b)
{
    int64_t sum = CP_MAX_COUNT;
    (void)!cp_add(a, b, &sum);
    return sum;
}

/* The methods that are to be run, and what each takes. */
static void choose_methods(const struct cp_convolve_question *question, struct answer *answer)
{
    struct cp_reference reference = question->reference;
    for (int method = 0; method < CP_METHOD_COUNT; method++) {
        bool wanted = method == (int)question->reference.method || question->verify;
        reference.method = (enum cp_method)method;
        if (!wanted || !cp_method_applies(reference.method, &reference.operation, reference.direction)) continue;
        struct check *check = &answer->checks[answer->check_count++];
        check->method = reference.method;
        if (cp_reference_cost(&reference, &check->cost)) continue;
        check->cost = (struct cp_reference_cost){.terms = CP_MAX_COUNT, .scratch_bytes = CP_MAX_COUNT};
    }
}

/* Everything that is too much, before any of it is made. *work is about how much there is, in multiplications. */
static bool check_limits(struct cp_reader *reader, const struct cp_convolve_question *question, struct answer *answer,
                         int64_t *work)
{
    int64_t included, elements = CP_MAX_COUNT, terms = 0, bytes = 0;
    if (!cp_check_includes(reader, question, &included)) return false;
    (void)!cp_shape_product(&question->result, 0, question->result.rank, &elements);
    elements = add_up(elements, included);
    choose_methods(question, answer);
    for (int at = 0; at < answer->check_count; at++) {
        terms = add_up(terms, answer->checks[at].cost.terms);
        bytes = add_up(bytes, add_up(answer->checks[at].cost.scratch_bytes, answer->checks[at].cost.result_bytes));
    }
    *work = add_up(terms, elements);
    bool right = within(reader, "elements of the reply's tensors", elements, CP_MAX_TENSOR_ELEMENTS);
    right = within(reader, "multiplications of the methods that are run", terms, cp_budgets.multiplications) && right;
    return within(reader, "bytes that the computation works in", bytes, CP_MAX_COMPUTED_BYTES) && right;
}

/* ---- Computing ---------------------------------------------------------------------------------------------------- */

static bool is_over(void *deadline_ns)
{
    return cp_now_ns() > *(const uint64_t *)deadline_ns || cp_stopping;
}

static void report_failure(struct cp_reader *reader, const struct cp_reference_status *status)
{
    struct cp_argument position = cp_dimensions(&status->position);
    switch (status->code) {
    case CP_REFERENCE_OVERFLOW: cp_problem_add(&reader->problems, CP_CODE_integer_overflow, NULL, &position, 1); break;
    case CP_REFERENCE_INEXACT: cp_problem_add(&reader->problems, CP_CODE_inexact_average, NULL, &position, 1); break;
    case CP_REFERENCE_EMPTY_WINDOW: cp_problem_add(&reader->problems, CP_CODE_empty_window, NULL, &position, 1); break;
    default: cp_report_stopped(&reader->problems); break;
    }
}

static double number_at(const struct cp_tensor *tensor, int64_t at)
{
    return tensor->element == CP_FLOAT32 ? ((const float *)tensor->data)[at] : ((const double *)tensor->data)[at];
}

/* The largest difference between two results of one shape; equal infinities and NaN beside NaN do not differ. */
static double largest_difference(const struct cp_tensor *a, const struct cp_tensor *b)
{
    int64_t count = cp_tensor_count(a);
    double largest = 0;
    if (a->element == CP_INT64) {
        const int64_t *x = a->data, *y = b->data;
        for (int64_t at = 0; at < count; at++) largest = fmax(largest, fabs((double)x[at] - (double)y[at]));
        return largest;
    }
    for (int64_t at = 0; at < count; at++) {
        double x = number_at(a, at), y = number_at(b, at);
        if (x == y || (isnan(x) && isnan(y))) continue;
        if (!isfinite(x - y)) return (double)NAN;
        largest = fmax(largest, fabs(x - y));
    }
    return largest;
}

static bool compute(struct cp_reader *reader, const struct cp_convolve_question *question, struct answer *answer)
{
    uint64_t deadline_ns = cp_now_ns() + (uint64_t)cp_budgets.seconds * UINT64_C(1000000000);
    struct cp_reference reference = question->reference;
    reference.stop = is_over;
    reference.stop_context = &deadline_ns;
    for (int at = 0; at < answer->check_count; at++) {
        struct check *check = &answer->checks[at];
        reference.method = check->method;
        struct cp_reference_status status = cp_reference_compute(&reference, reader->arena, &check->result);
        if (status.code != CP_REFERENCE_OK) {
            report_failure(reader, &status);
            return false;
        }
        check->difference = largest_difference(&answer->checks[0].result, &check->result);
        if (check->method == question->reference.method) answer->result = check->result;
    }
    answer->included_count = cp_make_includes(question, reader->arena, answer->included);
    return true;
}

/* ---- The reply ---------------------------------------------------------------------------------------------------- */

static void check_finite(struct cp_reader *reader, const char *name, const struct cp_tensor *tensor)
{
    int64_t index = cp_tensor_first_not_finite(tensor);
    struct cp_shape *position = CP_NEW(reader->arena, struct cp_shape);
    if (index < 0) return;
    double number = number_at(tensor, index);
    position->rank = tensor->shape.rank;
    for (int dim = position->rank - 1; dim >= 0; dim--) {
        position->size[dim] = index % tensor->shape.size[dim];
        index /= tensor->shape.size[dim];
    }
    cp_problem_add(&reader->problems, CP_CODE_not_finite, NULL,
                   CP_ARGUMENTS(cp_words(name),
                                cp_words(isnan(number) ? "NaN"
                                         : number < 0  ? "-infinity"
                                                       : "infinity"),
                                cp_dimensions(position)));
}

/* JSON has no NaN and no infinity. */
static bool check_writable(struct cp_reader *reader, const struct cp_convolve_question *question,
                           const struct answer *answer)
{
    if (question->encoding == CP_TENSOR_BASE64) return true;
    check_finite(reader, "output", &answer->result);
    for (int at = 0; at < answer->included_count; at++)
        check_finite(reader, answer->included[at].name, &answer->included[at].tensor);
    return reader->problems.count == 0;
}

static void write_checks(struct cp_writer *writer, const struct answer *answer)
{
    cp_write_array_begin(writer);
    for (int at = 0; at < answer->check_count; at++) {
        const struct check *check = &answer->checks[at];
        cp_write_object_begin(writer);
        CP_WRITE_NAME(writer, "method");
        cp_write_string(writer, cp_method_names[check->method]);
        CP_WRITE_NAME(writer, "max_abs_difference");
        if (isnan(check->difference))
            cp_write_null(writer);
        else
            cp_write_double(writer, check->difference);
        CP_WRITE_NAME(writer, "multiplications");
        cp_write_count(writer, check->cost.multiplications);
        CP_WRITE_NAME(writer, "multiplications_by_zero");
        cp_write_count(writer, check->cost.multiplications_by_zero);
        cp_write_object_end(writer);
    }
    cp_write_array_end(writer);
}

static void write_included(struct cp_writer *writer, const struct cp_included *included,
                           enum cp_tensor_encoding encoding)
{
    cp_write_name(writer, cp_text_of(included->name));
    if (!included->listed) {
        cp_write_tensor(writer, &included->tensor, encoding);
        return;
    }
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "shape");
    cp_write_shape(writer, &included->shape);
    CP_WRITE_NAME(writer, "rows");
    cp_write_tensor(writer, &included->rows, encoding);
    CP_WRITE_NAME(writer, "columns");
    cp_write_tensor(writer, &included->columns, encoding);
    CP_WRITE_NAME(writer, "values");
    cp_write_tensor(writer, &included->tensor, encoding);
    cp_write_object_end(writer);
}

static void write_answer(struct cp_writer *writer, const struct cp_convolve_question *question,
                         const struct answer *answer)
{
    const struct cp_layer_plan *plan = &question->plan.layers[0];
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "output");
    cp_write_tensor(writer, &answer->result, question->encoding);
    CP_WRITE_NAME(writer, "shape");
    cp_write_shape(writer, &answer->result.shape);
    CP_WRITE_NAME(writer, "dtype");
    cp_write_string(writer, cp_element_names[answer->result.element]);
    CP_WRITE_NAME(writer, "direction");
    cp_write_string(writer, cp_direction_names[question->reference.direction]);
    CP_WRITE_NAME(writer, "method");
    cp_write_string(writer, cp_method_names[question->reference.method]);
    CP_WRITE_NAME(writer, "macs");
    cp_write_count(writer, plan->macs);
    CP_WRITE_NAME(writer, "relationship");
    cp_write_count(writer, plan->relationship ? plan->relationship : CP_UNKNOWN);
    if (question->verify) {
        CP_WRITE_NAME(writer, "checks");
        write_checks(writer, answer);
    }
    for (int at = 0; at < answer->included_count; at++)
        write_included(writer, &answer->included[at], question->encoding);
    cp_write_object_end(writer);
}

/* About as many bytes as the reply will have; it is grown where that is too few. */
static size_t expected_bytes(const struct cp_convolve_question *question, const struct answer *answer)
{
    enum { BYTES_AROUND = 1024, BYTES_OF_NUMBER = 20, BYTES_IN_BASE64 = 11 };
    int64_t elements = cp_tensor_count(&answer->result);
    for (int at = 0; at < answer->included_count; at++) elements += cp_tensor_count(&answer->included[at].tensor);
    return BYTES_AROUND +
           (size_t)elements * (question->encoding == CP_TENSOR_BASE64 ? BYTES_IN_BASE64 : BYTES_OF_NUMBER);
}

static void refuse(struct cp_exchange *exchange, const struct cp_reader *reader)
{
    struct cp_reply *reply = exchange->reply;
    cp_problems_reply(&reader->problems, reply);
    if (reply->status == 503) reply->headers[reply->header_count++] = (struct cp_header){"Retry-After", "1"};
}

void cp_endpoint_convolve(struct cp_exchange *exchange)
{
    struct cp_reader reader;
    struct cp_convolve_question question;
    struct answer answer = {0};
    struct cp_writer writer;
    struct cp_reply *reply = exchange->reply;
    int64_t work;
    cp_reader_begin(&reader, exchange->arena);
    bool asked = cp_read_convolve(&reader, exchange->request->body, &question) &&
                 check_limits(&reader, &question, &answer, &work);
    if (asked && exchange->request->brief && work > CP_MAX_BRIEF_WORK) {
        reply->deferred = true;
        return;
    }
    cp_enter(exchange, CP_COMPUTING);
    bool answered = asked && compute(&reader, &question, &answer);
    cp_enter(exchange, CP_ENCODING);
    if (!answered || !check_writable(&reader, &question, &answer)) {
        refuse(exchange, &reader);
        return;
    }
    cp_writer_begin(&writer, exchange->arena, expected_bytes(&question, &answer));
    write_answer(&writer, &question, &answer);
    cp_reply_json(exchange, &writer);
}
