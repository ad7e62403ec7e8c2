/* The server under mixed load for long: no reply is wrong, its memory and its descriptors stay as they are, and it ends as
 * it should. Run it through `make soak`.
 *
 *     CONVPLAN=build/release/convplan soak [SECONDS]
 *
 * Memory is looked at once a second. What it settles at is known after the first fifth of the time: the least of the second
 * fifth is compared with the least of the last. */
#define _GNU_SOURCE 1

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/http/mixed_load.h"

enum { DEFAULT_SECONDS = 600, LEAST_SECONDS = 5, CLIENTS = 8, FIFTHS = 5 };

/* A leak of one byte in each of the requests of ten minutes is well over this; the allocator's moods are under it. */
static const double allowed_growth_mib = 8;

static const char server_flags[] = "serve --host 127.0.0.1 --port 0 --workers 2 --access-log off";

struct server {
    pid_t id;
    int port;
};

static __attribute__((noreturn)) void fail(const char *what)
{
    fprintf(stderr, "soak: %s\n", what);
    exit(1);
}

static struct server start_server(const char *program)
{
    int ends[2];
    char line[256] = "", command[512];
    snprintf(command, sizeof command, "exec %s %s", program, server_flags);
    if (pipe(ends) != 0) fail("no pipe");
    struct server server = {.id = fork()};
    if (server.id == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *output = fdopen(ends[0], "r");
    if (server.id < 0 || !output || !fgets(line, sizeof line, output)) fail("the server does not start");
    const char *colon = strrchr(line, ':');
    server.port = colon ? (int)strtol(colon + 1, NULL, 10) : 0;
    if (server.port <= 0) fail(line);
    fclose(output);
    return server;
}

static double resident_mib(pid_t id)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)id);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*s %ld", &pages) != 1) fail("the server is gone");
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static int open_descriptors(pid_t id)
{
    char path[64];
    struct dirent **entries;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)id);
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) fail("the server is gone");
    for (int at = 0; at < count; at++) free(entries[at]);
    free((void *)entries);
    return count;
}

/* Watch for so many seconds: the least memory of each fifth of them. */
static void watch(const struct server *server, const struct cp_load *load, int seconds, double least[FIFTHS])
{
    for (int second = 0; second < seconds && !cp_load_has_failed(load); second++) {
        int fifth = second * FIFTHS / seconds;
        poll(NULL, 0, 1000);
        double now = resident_mib(server->id);
        if (least[fifth] == 0 || now < least[fifth]) least[fifth] = now;
    }
}

/* Descriptors of connections that have ended are closed soon, not at once. */
static int settled_descriptors(pid_t id, int wanted)
{
    int count = open_descriptors(id);
    for (int tries = 0; count > wanted && tries < 200; tries++) {
        poll(NULL, 0, 50);
        count = open_descriptors(id);
    }
    return count;
}

int main(int argc, char **argv)
{
    int seconds = argc > 1 ? atoi(argv[1]) : DEFAULT_SECONDS, status = 0;
    const char *program = getenv("CONVPLAN");
    double least[FIFTHS] = {0};
    if (seconds < LEAST_SECONDS) fail("it takes five seconds at least");
    struct server server = start_server(program ? program : "build/release/convplan");
    int descriptors = open_descriptors(server.id);
    struct cp_load *load = cp_load_start(server.port, CLIENTS);
    if (!load) fail("no load");
    watch(&server, load, seconds, least);
    struct cp_load_result result = cp_load_end(load);
    int left = settled_descriptors(server.id, descriptors);
    kill(server.id, SIGTERM);
    waitpid(server.id, &status, 0);
    double growth = least[FIFTHS - 1] - least[1];
    printf("%d s: %lld requests answered, %lld failed\n", seconds, result.answered, result.failed);
    printf("memory, the least of each fifth:");
    for (int fifth = 0; fifth < FIFTHS; fifth++) printf(" %.1f", least[fifth]);
    printf(" MiB; descriptors %d, at the end %d\n", descriptors, left);
    if (result.failed) fail(result.failure);
    if (result.answered < seconds) fail("there was hardly any load");
    if (growth > allowed_growth_mib) fail("its memory grows");
    if (left > descriptors) fail("descriptors are left open");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("it did not end with status 0");
    return 0;
}
