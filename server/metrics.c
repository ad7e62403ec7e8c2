#include "server/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "server/state.h"
#include "server/version.h"

typedef atomic_uint_least64_t counter;

/* Upper bounds of the durations counted together, in nanoseconds and as Prometheus is told them, in seconds. */
static const struct {
    uint64_t most_ns;
    const char *seconds;
} buckets[] = {
    {5000, "0.000005"},  {10000, "0.00001"},  {25000, "0.000025"}, {50000, "0.00005"},   {100000, "0.0001"},
    {250000, "0.00025"}, {1000000, "0.001"},  {5000000, "0.005"},  {25000000, "0.025"},  {100000000, "0.1"},
    {500000000, "0.5"},  {2500000000, "2.5"}, {10000000000, "10"}, {UINT64_MAX, "+Inf"},
};

/* Statuses that the service gives, frequent ones first; 0 stands for any other. */
static const int statuses[] = {200, 400, 422, 304, 204, 404, 401, 405, 406, 408, 411,
                               413, 414, 415, 429, 431, 500, 501, 503, 505, 0};

enum { BUCKETS = sizeof buckets / sizeof *buckets, STATUSES = sizeof statuses / sizeof *statuses };

/* What is counted for each endpoint. */
struct endpoint_counters {
    counter requests[STATUSES];
    counter durations[BUCKETS];
    counter duration_ns;
};

struct cp_metrics {
    struct cp_metrics *next;
    counter begun, ended, received_bytes, sent_bytes;
    counter turned_away[2]; /* too many in all; too many of one address */
    counter dropped_log_lines;
    counter codes[CP_CODE_COUNT];         /* of findings and problems */
    struct endpoint_counters endpoints[]; /* as in cp_endpoints, and one more for what none answered */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cp_metrics *all;
static void (*read_server)(const void *server, struct cp_gauges *gauges);
static const void *server;

static size_t counters_size(void)
{
    return sizeof(struct cp_metrics) + (size_t)cp_endpoint_count * sizeof(struct endpoint_counters) +
           sizeof(struct endpoint_counters);
}

/* ---- Counting ------------------------------------------------------------------------------------------------------ */

/* A counter has one writer, so this needs no locked instruction. */
static void add(counter *to, uint64_t number)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + number, memory_order_relaxed);
}

static uint64_t value_of(const counter *of)
{
    return atomic_load_explicit(of, memory_order_relaxed);
}

struct cp_metrics *cp_metrics_open(void)
{
    struct cp_metrics *metrics = calloc(1, counters_size());
    if (!metrics) return NULL;
    pthread_mutex_lock(&lock);
    metrics->next = all;
    all = metrics;
    pthread_mutex_unlock(&lock);
    return metrics;
}

void cp_metrics_close(struct cp_metrics *metrics)
{
    if (!metrics) return;
    pthread_mutex_lock(&lock);
    struct cp_metrics **at = &all;
    while (*at != metrics) at = &(*at)->next;
    *at = metrics->next;
    pthread_mutex_unlock(&lock);
    free(metrics);
}

void cp_metrics_begin_request(struct cp_metrics *metrics)
{
    add(&metrics->begun, 1);
}

void cp_metrics_end_request(struct cp_metrics *metrics)
{
    add(&metrics->ended, 1);
}

static int slot_of(int status)
{
    int slot = 0;
    while (statuses[slot] && statuses[slot] != status) slot++;
    return slot;
}

void cp_metrics_observe(struct cp_metrics *metrics, const struct cp_observation *observation)
{
    const struct cp_reply *reply = observation->reply;
    ptrdiff_t index = reply->endpoint ? reply->endpoint - cp_endpoints : cp_endpoint_count;
    struct endpoint_counters *endpoint = &metrics->endpoints[index];
    int bucket = 0;
    while (observation->duration_ns > buckets[bucket].most_ns) bucket++;
    add(&endpoint->requests[slot_of(reply->status)], 1);
    add(&endpoint->durations[bucket], 1);
    add(&endpoint->duration_ns, observation->duration_ns);
    add(&metrics->received_bytes, observation->received_bytes);
    add(&metrics->sent_bytes, observation->sent_bytes);
    if (reply->problem) add(&metrics->codes[reply->problem - cp_statuses], 1);
    for (const struct cp_finding *at = reply->findings; at; at = at->next) add(&metrics->codes[at->code], 1);
}

void cp_metrics_turn_away(struct cp_metrics *metrics, bool for_its_address)
{
    add(&metrics->turned_away[for_its_address], 1);
}

void cp_metrics_drop_log_lines(struct cp_metrics *metrics, uint64_t lines)
{
    add(&metrics->dropped_log_lines, lines);
}

void cp_metrics_set_server(void (*read)(const void *server, struct cp_gauges *gauges), const void *of)
{
    pthread_mutex_lock(&lock);
    read_server = read;
    server = of;
    pthread_mutex_unlock(&lock);
}

/* ---- Adding up ----------------------------------------------------------------------------------------------------- */

/* All of a struct cp_metrics behind `next` is counters. */
static void add_all(struct cp_metrics *sum, const struct cp_metrics *one)
{
    const size_t first = offsetof(struct cp_metrics, begun);
    counter *to = (counter *)(void *)((char *)sum + first);
    const counter *from = (const counter *)(const void *)((const char *)one + first);
    for (size_t at = 0; at < (counters_size() - first) / sizeof *to; at++) add(&to[at], value_of(&from[at]));
}

/* Taken at once, and written when the lock is free again: the writer may run out of memory. */
static struct cp_metrics *take_sum(struct cp_arena *arena, struct cp_gauges *gauges)
{
    struct cp_metrics *sum = cp_arena_zeroed(arena, 1, counters_size(), alignof(struct cp_metrics));
    pthread_mutex_lock(&lock);
    for (const struct cp_metrics *at = all; at; at = at->next) add_all(sum, at);
    *gauges = (struct cp_gauges){0};
    if (read_server) read_server(server, gauges);
    pthread_mutex_unlock(&lock);
    return sum;
}

/* ---- The text ------------------------------------------------------------------------------------------------------ */

static void __attribute__((format(printf, 2, 3))) put(struct cp_writer *writer, const char *format, ...)
{
    enum { LONGEST = 512 };
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(cp_writer_room(writer, LONGEST), LONGEST, format, arguments);
    va_end(arguments);
    writer->at += size < LONGEST ? size : LONGEST - 1;
}

static void put_head(struct cp_writer *writer, const char *name, const char *type, const char *help)
{
    put(writer, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_number(struct cp_writer *writer, const char *name, const char *type, const char *help, uint64_t number)
{
    put_head(writer, name, type, help);
    put(writer, "%s %" PRIu64 "\n", name, number);
}

static void put_seconds(struct cp_writer *writer, const char *name, uint64_t nanoseconds)
{
    put(writer, "%s %" PRIu64 ".%09" PRIu64 "\n", name, nanoseconds / 1000000000, nanoseconds % 1000000000);
}

/* The labels that name an endpoint. */
static void make_labels(char *labels, size_t size, int index)
{
    const struct cp_endpoint *endpoint = &cp_endpoints[index];
    if (index == cp_endpoint_count)
        snprintf(labels, size, "endpoint=\"other\"");
    else
        snprintf(labels, size, "endpoint=\"%s\"", endpoint->path);
}

static void put_requests(struct cp_writer *writer, const struct cp_metrics *sum)
{
    char labels[128];
    put_head(writer, "convplan_http_requests_total", "counter", "Requests, by endpoint and status.");
    for (int index = 0; index <= cp_endpoint_count; index++) {
        make_labels(labels, sizeof labels, index);
        for (int slot = 0; slot < STATUSES; slot++) {
            uint64_t requests = value_of(&sum->endpoints[index].requests[slot]);
            if (requests)
                put(writer, "convplan_http_requests_total{%s,status=\"%d\"} %" PRIu64 "\n", labels, statuses[slot],
                    requests);
        }
    }
}

static void put_durations_of(struct cp_writer *writer, const struct cp_metrics *sum, int index)
{
    static const char name[] = "convplan_http_request_duration_seconds";
    char labels[128], line[256];
    uint64_t count = 0;
    make_labels(labels, sizeof labels, index);
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        count += value_of(&sum->endpoints[index].durations[bucket]);
        put(writer, "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n", name, labels, buckets[bucket].seconds, count);
    }
    snprintf(line, sizeof line, "%s_sum{%s}", name, labels);
    put_seconds(writer, line, value_of(&sum->endpoints[index].duration_ns));
    put(writer, "%s_count{%s} %" PRIu64 "\n", name, labels, count);
}

static void put_durations(struct cp_writer *writer, const struct cp_metrics *sum)
{
    put_head(writer, "convplan_http_request_duration_seconds", "histogram",
             "Time from a request's turn to its reply: with the wait for a free thread, without that for requests "
             "beside it.");
    for (int index = 0; index <= cp_endpoint_count; index++) {
        uint64_t count = 0;
        for (int bucket = 0; bucket < BUCKETS; bucket++) count += value_of(&sum->endpoints[index].durations[bucket]);
        if (count) put_durations_of(writer, sum, index);
    }
}

static void put_codes(struct cp_writer *writer, const struct cp_metrics *sum, bool findings)
{
    const char *name = findings ? "convplan_findings_total" : "convplan_problems_total";
    put_head(writer, name, "counter", findings ? "Findings in replies, by code." : "Requests refused, by code.");
    for (int code = 0; code < CP_CODE_COUNT; code++) {
        uint64_t count = value_of(&sum->codes[code]);
        if (count && (cp_statuses[code].http_status == 200) == findings)
            put(writer, "%s{code=\"%s\"} %" PRIu64 "\n", name, cp_statuses[code].code, count);
    }
}

static void put_traffic(struct cp_writer *writer, const struct cp_metrics *sum)
{
    uint64_t ended = value_of(&sum->ended); /* first: what ends meanwhile has begun before */
    put_number(writer, "convplan_http_requests_in_flight", "gauge", "Requests begun and not answered.",
               value_of(&sum->begun) - ended);
    put_number(writer, "convplan_http_received_bytes_total", "counter", "Heads and bodies of requests.",
               value_of(&sum->received_bytes));
    put_number(writer, "convplan_http_sent_bytes_total", "counter", "Bodies of replies, as sent.",
               value_of(&sum->sent_bytes));
    put_head(writer, "convplan_http_connections_refused_total", "counter", "Connections turned away, by reason.");
    put(writer, "convplan_http_connections_refused_total{reason=\"server_limit\"} %" PRIu64 "\n",
        value_of(&sum->turned_away[0]));
    put(writer, "convplan_http_connections_refused_total{reason=\"address_limit\"} %" PRIu64 "\n",
        value_of(&sum->turned_away[1]));
    put_number(writer, "convplan_access_log_lines_dropped_total", "counter",
               "Lines that standard error did not take in time.", value_of(&sum->dropped_log_lines));
}

static void put_server(struct cp_writer *writer, const struct cp_gauges *gauges)
{
    put_number(writer, "convplan_http_connections", "gauge", "Connections open.", (uint64_t)gauges->connections);
    put_number(writer, "convplan_compute_queue_length", "gauge", "Long requests that wait for a thread.",
               (uint64_t)gauges->queue);
    put_number(writer, "convplan_memory_bytes", "gauge", "Memory held for requests.", (uint64_t)gauges->memory_bytes);
    put_number(writer, "convplan_draining", "gauge", "1 while the server finishes and takes no new connection.",
               cp_draining);
}

static uint64_t resident_bytes(void)
{
    char line[256], *second = NULL; /* all pages, then those in memory */
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return 0;
    if (fgets(line, sizeof line, file)) second = strchr(line, ' ');
    fclose(file);
    return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static uint64_t nanoseconds_of(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

static void put_process(struct cp_writer *writer)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    put_head(writer, "process_cpu_seconds_total", "counter", "Processor time used.");
    put_seconds(writer, "process_cpu_seconds_total", nanoseconds_of(usage.ru_utime) + nanoseconds_of(usage.ru_stime));
    put_number(writer, "process_resident_memory_bytes", "gauge", "Memory of the process.", resident_bytes());
}

void cp_metrics_write(struct cp_writer *writer)
{
    struct cp_gauges gauges;
    const struct cp_metrics *sum = take_sum(writer->arena, &gauges);
    put_head(writer, "convplan_build_info", "gauge", "The program.");
    put(writer, "convplan_build_info{version=\"%s\",compiler=\"%s\"} 1\n", CP_VERSION, __VERSION__);
    put_requests(writer, sum);
    put_durations(writer, sum);
    put_codes(writer, sum, true);
    put_codes(writer, sum, false);
    put_traffic(writer, sum);
    put_server(writer, &gauges);
    put_process(writer);
}
