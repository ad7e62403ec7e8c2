#include "server/http/access_log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_LINE = 2560, LONGEST_METHOD = 32, LONGEST_PATH = 256 };

bool cp_access_log_wants(const struct cp_access_log *log, int status)
{
    return log->level == CP_LOG_ALL || (log->level == CP_LOG_ERRORS && status >= 400);
}

void cp_access_log_flush(struct cp_access_log *log)
{
    struct pollfd writable = {.fd = log->descriptor, .events = POLLOUT};
    if (!log->size) return;
    bool ready = poll(&writable, 1, 0) == 1 && writable.revents & POLLOUT;
    if (!ready || write(log->descriptor, log->bytes, log->size) != (ssize_t)log->size) log->dropped += log->lines;
    log->size = log->lines = 0;
}

/* ---- A line -------------------------------------------------------------------------------------------------------- */

struct line {
    size_t size;
    char bytes[LONGEST_LINE];
};

static void __attribute__((format(printf, 2, 3))) put(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line->bytes + line->size, sizeof line->bytes - line->size, format, arguments);
    va_end(arguments);
    line->size += (size_t)size;
}

/* Bytes as a JSON string: what is not printable ASCII, and what has a meaning to JSON, as \u00XX. Clients chose them, and
 * people read them on terminals. */
static void put_bytes(struct line *line, struct cp_text text, size_t longest)
{
    for (size_t at = 0; at < text.size && at < longest; at++) {
        unsigned char byte = (unsigned char)text.bytes[at];
        bool plain = byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
        put(line, plain ? "%c" : "\\u%04x", byte);
    }
}

/* RFC 3339, in UTC, with milliseconds. */
static void put_time(struct line *line)
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    put(line, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", parts.tm_year + 1900, parts.tm_mon + 1,
        parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, (int)(now.tv_nsec / 1000000));
}

_Static_assert(LONGEST_LINE >= 6 * (LONGEST_METHOD + LONGEST_PATH) + 512, "the longest line fits");

void cp_access_log_add(struct cp_access_log *log, const struct cp_access *access)
{
    struct line line = {0};
    put_time(&line);
    put(&line, ",\"id\":\"%s\",\"client\":\"%s\",\"method\":\"", access->request_id, access->client);
    put_bytes(&line, access->method, LONGEST_METHOD);
    put(&line, "\",\"path\":\"");
    put_bytes(&line, access->path, LONGEST_PATH);
    put(&line, "\",\"status\":%d,\"request_bytes\":%" PRIu64 ",\"reply_bytes\":%" PRIu64, access->reply->status,
        access->request_bytes, access->reply_bytes);
    put(&line, ",\"seconds\":%" PRIu64 ".%09" PRIu64, access->duration_ns / 1000000000,
        access->duration_ns % 1000000000);
    if (access->reply->problem) put(&line, ",\"problem\":\"%s\"", access->reply->problem->code);
    put(&line, "}\n");
    if (line.size > sizeof log->bytes - log->size) cp_access_log_flush(log);
    memcpy(log->bytes + log->size, line.bytes, line.size);
    log->size += line.size;
    log->lines++;
}
