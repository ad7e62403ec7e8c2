/* GET / (the playground, or a list of the operations), /docs, and /web/{file}: what these pages are made of. */
#include "core/nearest.h"
#include "server/embedded.h"
#include "server/endpoints/endpoints.h"
#include "server/problem.h"

/* Nothing from elsewhere, nothing inline: scripts and styles are files of this server. Pictures may also be made by the
 * page (blob:). */
static const char content_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const struct {
    const char *extension, *content_type;
} content_types[] = {
    {"html", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"svg", "image/svg+xml"},
};

static const char *content_type_of(const char *name)
{
    const char *extension = strrchr(name, '.') + 1;
    int at = 0;
    while (strcmp(content_types[at].extension, extension) != 0) at++;
    return content_types[at].content_type;
}

/* Kept by browsers, but asked about each time: all files of a page are of one version. */
static void add_page_headers(struct cp_reply *reply)
{
    cp_reply_header(reply, "Cache-Control", "no-cache");
    cp_reply_header(reply, "Content-Security-Policy", content_policy);
}

static const struct cp_web_file *find_file(struct cp_text name)
{
    for (int at = 0; at < cp_web_file_count; at++)
        if (cp_text_is(name, cp_web_files[at].name)) return &cp_web_files[at];
    return NULL;
}

static void reply_file(struct cp_exchange *exchange, const struct cp_web_file *file)
{
    exchange->reply->status = 200;
    exchange->reply->content_type = content_type_of(file->name);
    exchange->reply->body = file->bytes;
    exchange->reply->is_static = true;
}

static void reply_index(struct cp_exchange *exchange)
{
    enum { EXPECTED_BYTES = 1 << 11 };
    struct cp_writer writer;
    cp_writer_begin(&writer, exchange->arena, EXPECTED_BYTES);
    cp_write_object_begin(&writer);
    CP_WRITE_NAME(&writer, "service");
    cp_write_string(&writer, "convplan");
    CP_WRITE_NAME(&writer, "operations");
    cp_write_array_begin(&writer);
    for (int at = 0; at < cp_endpoint_count; at++) {
        const struct cp_endpoint *endpoint = &cp_endpoints[at];
        cp_write_object_begin(&writer);
        CP_WRITE_NAME(&writer, "method");
        cp_write_string(&writer, endpoint->method == CP_POST ? "POST" : "GET");
        CP_WRITE_NAME(&writer, "path");
        cp_write_string(&writer, endpoint->path);
        CP_WRITE_NAME(&writer, "operation");
        cp_write_string(&writer, endpoint->operation_id);
        cp_write_object_end(&writer);
    }
    cp_write_array_end(&writer);
    cp_write_object_end(&writer);
    cp_reply_json(exchange, &writer);
}

/* The page to browsers, which ask for HTML by name; the list to programs, and to whoever takes anything, such as curl. */
void cp_endpoint_index(struct cp_exchange *exchange)
{
    struct cp_text accept = exchange->request->accept;
    if (cp_accept_quality(accept, "text/html") > cp_accept_quality(accept, "application/json"))
        reply_file(exchange, find_file(CP_TEXT("index.html")));
    else
        reply_index(exchange);
    add_page_headers(exchange->reply);
    cp_reply_header(exchange->reply, "Vary", "Accept");
}

void cp_endpoint_docs(struct cp_exchange *exchange)
{
    reply_file(exchange, find_file(CP_TEXT("docs.html")));
    add_page_headers(exchange->reply);
}

static struct cp_text file_name(const void *list, int64_t index)
{
    (void)list;
    return cp_text_of(cp_web_files[index].name);
}

void cp_endpoint_web_file(struct cp_exchange *exchange)
{
    const struct cp_web_file *file = find_file(exchange->parameter);
    if (!file) {
        int64_t nearest = cp_nearest(exchange->parameter, cp_web_file_count, file_name, NULL);
        struct cp_text name = nearest < 0 ? (struct cp_text){0} : file_name(NULL, nearest);
        cp_reply_not_found(exchange, cp_did_you_mean(exchange->arena, name));
        return;
    }
    reply_file(exchange, file);
    add_page_headers(exchange->reply);
}
