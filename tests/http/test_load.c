/* Many clients, and clients that behave badly: the others are served. */
#define _GNU_SOURCE 1 /* MSG_NOSIGNAL */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/http/addresses.h"
#include "tests/http/http_client.h"

#define HEALTH "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"
#define LARGE "GET /openapi.json HTTP/1.1\r\nHost: t\r\n\r\n"
#define POST                                                                                                           \
    "POST /v1/shapes HTTP/1.1\r\nHost: t\r\nContent-Length: 53\r\n\r\n"                                                \
    "{\"input\": [1, 3, 8, 8], \"layers\": [{\"type\": \"ReLU\"}]}"

static struct cp_http *start(int connection_limit, int address_limit)
{
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    options.workers = 2;
    options.connection_limit = connection_limit;
    options.address_limit = address_limit;
    return cp_client_server(options);
}

/* ---- A thousand ---------------------------------------------------------------------------------------------------- */

enum { BAD_CLIENTS = 1000, ROUNDS = 40, REQUESTS_NOT_READ = 20 };

/* A byte of a request, at the pace of the good clients' rounds. */
static void send_slowly(int client, int round)
{
    assert_int_equal(send(client, &POST[round], 1, MSG_NOSIGNAL), 1);
}

/* Idle ones, ones that send a byte now and then, and ones that ask for megabytes and read none of it. */
static void test_a_thousand_bad_clients(void **state)
{
    static int bad[BAD_CLIENTS];
    (void)state;
    struct cp_http *http = start(4096, 2048);
    int port = cp_http_port(http);
    for (int at = 0; at < BAD_CLIENTS; at++) {
        bad[at] = cp_client_connect(port, 1);
        for (int times = 0; at % 3 == 2 && times < REQUESTS_NOT_READ; times++)
            assert_int_equal(send(bad[at], LARGE, sizeof LARGE - 1, MSG_NOSIGNAL), sizeof LARGE - 1);
    }
    struct cp_client *good[4];
    for (int at = 0; at < 4; at++) good[at] = cp_client_open(port);
    for (int round = 0; round < ROUNDS; round++) {
        struct cp_client_reply reply;
        for (int at = 1; at < BAD_CLIENTS; at += 3) send_slowly(bad[at], round);
        for (int at = 0; at < 4; at++) cp_client_send_text(good[at], round % 2 ? POST : HEALTH);
        for (int at = 0; at < 4; at++) {
            cp_client_read(good[at], &reply, false);
            cp_expect_status("good client", 200, &reply);
        }
    }
    for (int at = 0; at < 4; at++) cp_client_close(good[at]);
    for (int at = 0; at < BAD_CLIENTS; at++) close(bad[at]);
    cp_http_free(http);
}

/* ---- Requests that come together ------------------------------------------------------------------------------------ */

/* More requests at once than are put off together, from peers of which some are gone when theirs are answered. */
static void test_many_at_once(void **state)
{
    enum { STAYING = 160, LEAVING = 80 };
    static struct cp_client *staying[STAYING];
    static int leaving[LEAVING];
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    (void)state;
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    options.workers = 1;
    struct cp_http *http = cp_client_server(options);
    int port = cp_http_port(http);
    for (int at = 0; at < STAYING; at++) staying[at] = cp_client_open(port);
    for (int round = 0; round < 3; round++) {
        for (int at = 0; at < LEAVING; at++) leaving[at] = cp_client_connect(port, 1);
        for (int at = 0; at < STAYING; at++) {
            cp_client_send_text(staying[at], (at + round) % 3 ? POST : HEALTH);
            if (at % 2) continue;
            assert_int_equal(send(leaving[at / 2], POST, sizeof POST - 1, MSG_NOSIGNAL), sizeof POST - 1);
            setsockopt(leaving[at / 2], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(leaving[at / 2]);
        }
        for (int at = 0; at < STAYING; at++) {
            struct cp_client_reply reply;
            cp_client_read(staying[at], &reply, false);
            cp_expect_status("one of many", 200, &reply);
        }
    }
    for (int at = 0; at < STAYING; at++) cp_client_close(staying[at]);
    cp_http_free(http);
}

/* Two groups, the one answered and sent while the other is read. */
static void test_groups_in_turn(void **state)
{
    enum { MEMBERS = 24, TURNS = 40 };
    static struct cp_client *group[2][MEMBERS];
    (void)state;
    struct cp_http_options options = CP_HTTP_DEFAULTS;
    options.workers = 1;
    struct cp_http *http = cp_client_server(options);
    for (int at = 0; at < 2 * MEMBERS; at++) group[at % 2][at / 2] = cp_client_open(cp_http_port(http));
    for (int at = 0; at < MEMBERS; at++) cp_client_send_text(group[0][at], POST);
    for (int round = 1; round < TURNS; round++) {
        struct cp_client **asking = group[round % 2], **waiting = group[(round + 1) % 2];
        for (int at = 0; at < MEMBERS; at++) {
            struct cp_client_reply reply;
            cp_client_send_text(asking[at], (at + round) % 5 ? POST : HEALTH);
            cp_client_read(waiting[at], &reply, false);
            cp_expect_status("one of a group", 200, &reply);
        }
    }
    for (int at = 0; at < 2 * MEMBERS; at++) cp_client_close(group[at % 2][at / 2]);
    cp_http_free(http);
}

/* ---- One address --------------------------------------------------------------------------------------------------- */

static int ask_from(int port, int host, struct cp_client **client)
{
    struct cp_client_reply reply;
    *client = cp_client_open_from(port, host);
    cp_client_send_text(*client, HEALTH);
    cp_client_read(*client, &reply, false);
    if (reply.status != 200) {
        char value[16];
        cp_expect_header("turned away", &reply, "Content-Type", "application/problem+json");
        assert_string_equal(cp_client_header(&reply, "Retry-After", value, sizeof value), "1");
        cp_client_expect_end(*client);
    }
    return reply.status;
}

static void test_address_limit(void **state)
{
    enum { LIMIT = 5 };
    struct cp_client *own[LIMIT], *client;
    (void)state;
    struct cp_http *http = start(100, LIMIT);
    int port = cp_http_port(http), status = 429;
    for (int at = 0; at < LIMIT; at++) assert_int_equal(ask_from(port, 1, &own[at]), 200);
    assert_int_equal(ask_from(port, 1, &client), 429);
    cp_client_close(client);
    assert_int_equal(ask_from(port, 2, &client), 200); /* another address */
    cp_client_close(client);
    cp_client_close(own[0]);
    for (int tries = 0; status == 429 && tries < 10000; tries++) { /* until the server has seen that one is closed */
        status = ask_from(port, 1, &own[0]);
        if (status == 429) cp_client_close(own[0]);
    }
    assert_int_equal(status, 200);
    for (int at = 0; at < LIMIT; at++) cp_client_close(own[at]);
    cp_http_free(http);
}

static struct sockaddr_storage address_number(int number)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *narrow = (struct sockaddr_in *)(void *)&storage;
    struct sockaddr_in6 *wide = (struct sockaddr_in6 *)(void *)&storage;
    storage.ss_family = number % 2 ? AF_INET : AF_INET6;
    if (number % 2)
        narrow->sin_addr.s_addr = htonl((uint32_t)number);
    else
        wide->sin6_addr.s6_addr[5] = (uint8_t)number; /* within the network */
    return storage;
}

/* Against counters of the test's own, in an order drawn anew from a fixed seed. */
static void test_addresses(void **state)
{
    enum { ADDRESSES = 200, LIMIT = 3, STEPS = 200000, MOST = 150 };
    int counts[ADDRESSES] = {0}, open = 0;
    uint32_t draw = 1;
    (void)state;
    struct cp_addresses *addresses = cp_addresses_create(MOST, LIMIT);
    assert_non_null(addresses);
    for (int step = 0; step < STEPS; step++) {
        draw = draw * 1664525 + 1013904223;
        int number = (int)(draw >> 16) % ADDRESSES;
        struct sockaddr_storage address = address_number(number);
        if (draw >> 8 & 1 && open < MOST) {
            bool room = cp_addresses_enter(addresses, (struct sockaddr *)&address);
            if (room != (counts[number] < LIMIT)) fail_msg("step %d, address %d", step, number);
            counts[number] += room;
            open += room;
        } else if (counts[number]) {
            cp_addresses_leave(addresses, (struct sockaddr *)&address);
            counts[number]--;
            open--;
        }
    }
    cp_addresses_free(addresses);
}

/* Which addresses count as one. */
static void test_networks(void **state)
{
    static const struct {
        const char *name;
        uint8_t a[16], b[16];
        bool same;
    } rows[] = {
        {"one IPv6 network", {0x20, 1, 0, 0, 0, 0, 0, 1, 1}, {0x20, 1, 0, 0, 0, 0, 0, 1, 2}, true},
        {"two IPv6 networks", {0x20, 1, 0, 0, 0, 0, 0, 1, 1}, {0x20, 1, 0, 0, 0, 0, 0, 2, 1}, false},
        {"IPv4 in IPv6",
         {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1},
         {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2},
         false},
    };
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        struct cp_addresses *addresses = cp_addresses_create(10, 1);
        struct sockaddr_in6 a = {.sin6_family = AF_INET6}, b = a;
        memcpy(&a.sin6_addr, rows[at].a, 16);
        memcpy(&b.sin6_addr, rows[at].b, 16);
        assert_true(cp_addresses_enter(addresses, (struct sockaddr *)&a));
        if (cp_addresses_enter(addresses, (struct sockaddr *)&b) == rows[at].same) fail_msg("%s", rows[at].name);
        cp_addresses_free(addresses);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thousand_bad_clients),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_groups_in_turn),
        cmocka_unit_test(test_address_limit),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
