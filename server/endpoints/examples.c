/* GET /v1/examples and /v1/examples/{name}: well-known networks, each a request of /v1/shapes as it stands. */
#include "core/nearest.h"
#include "server/embedded.h"
#include "server/endpoints/endpoints.h"
#include "server/json/json.h"
#include "server/problem.h"

static struct cp_text name_at(const void *list, int64_t index)
{
    (void)list;
    return cp_text_of(cp_examples[index].name);
}

static void copy_text(struct cp_writer *writer, const struct cp_json *meta, const char *name)
{
    const struct cp_json *value = cp_json_member(meta, cp_text_of(name));
    cp_write_name(writer, cp_text_of(name));
    cp_write_text(writer, cp_json_text(value));
}

static void copy_count(struct cp_writer *writer, const struct cp_json *meta, const char *name)
{
    int64_t count = CP_UNKNOWN;
    (void)!cp_json_integer(cp_json_member(meta, cp_text_of(name)), &count);
    cp_write_name(writer, cp_text_of(name));
    cp_write_count(writer, count);
}

static void write_entry(struct cp_writer *writer, const struct cp_example *example)
{
    struct cp_json_error error;
    const struct cp_json *request = cp_json_parse(writer->arena, example->request.bytes, example->request.size, &error);
    const struct cp_json *meta = cp_json_member(request, CP_TEXT("meta"));
    cp_write_object_begin(writer);
    CP_WRITE_NAME(writer, "name");
    cp_write_string(writer, example->name);
    copy_text(writer, meta, "title");
    copy_text(writer, meta, "summary");
    copy_text(writer, meta, "reference");
    copy_count(writer, meta, "params");
    copy_count(writer, meta, "macs");
    CP_WRITE_NAME(writer, "layers");
    cp_write_integer(writer, (int64_t)cp_json_count(cp_json_member(request, CP_TEXT("layers"))));
    CP_WRITE_NAME(writer, "href");
    cp_write_text(writer, cp_message(writer->arena, "/v1/examples/{0}", CP_ARGUMENTS(cp_words(example->name))));
    cp_write_object_end(writer);
}

void cp_endpoint_examples(struct cp_exchange *exchange)
{
    enum { EXPECTED_BYTES = 1 << 12 };
    struct cp_writer writer;
    cp_writer_begin(&writer, exchange->arena, EXPECTED_BYTES);
    cp_write_object_begin(&writer);
    CP_WRITE_NAME(&writer, "examples");
    cp_write_array_begin(&writer);
    for (int at = 0; at < cp_example_count; at++) write_entry(&writer, &cp_examples[at]);
    cp_write_array_end(&writer);
    cp_write_object_end(&writer);
    cp_reply_json(exchange, &writer);
}

void cp_endpoint_example(struct cp_exchange *exchange)
{
    for (int at = 0; at < cp_example_count; at++) {
        if (!cp_text_is(exchange->parameter, cp_examples[at].name)) continue;
        exchange->reply->status = 200;
        exchange->reply->content_type = "application/json";
        exchange->reply->body = cp_examples[at].request;
        exchange->reply->is_static = true;
        return;
    }
    int64_t nearest = cp_nearest(exchange->parameter, cp_example_count, name_at, NULL);
    struct cp_text hint = cp_did_you_mean(exchange->arena, nearest < 0 ? (struct cp_text){0} : name_at(NULL, nearest));
    cp_reply_not_found(exchange, hint);
}
