/* convplan serve */
#include <stdio.h>
#include <string.h>

#include "server/commands.h"
#include "server/config.h"

/* An IPv6 address stands in brackets in a URL. */
static void announce(const struct cp_config *config, int port)
{
    const char *host = *config->host ? config->host : "[::]", *scheme = *config->tls_certificate ? "https" : "http";
    bool bare = strchr(host, ':') && host[0] != '[';
    printf(bare ? "convplan is listening on %s://[%s]:%d\n" : "convplan is listening on %s://%s:%d\n", scheme, host,
           port);
    fflush(stdout);
}

static void say(const char *sentence)
{
    cp_complain("convplan serve", cp_text_of(sentence));
}

static int serve(const struct cp_config *config)
{
    char error[512];
    struct cp_http_options options = cp_config_http(config);
    cp_budgets = config->budgets;
    cp_http_block_signals();
    struct cp_http *http = cp_http_start(&options, error, sizeof error);
    if (!http) {
        say(error);
        return CP_EXIT_WRONG;
    }
    if (cp_http_connection_limit(http) < options.connection_limit) {
        snprintf(error, sizeof error, "too few files may be open (ulimit -n): at most %d connections are let in",
                 cp_http_connection_limit(http));
        say(error);
    }
    announce(config, cp_http_port(http));
    int unanswered = cp_http_run_until_signal(http, say);
    const char *failure = cp_http_failure(http);
    cp_http_free(http);
    if (failure) {
        snprintf(error, sizeof error, "a worker failed: %s", failure);
        say(error);
    }
    if (unanswered) {
        snprintf(error, sizeof error, "requests cut off at the end: %d", unanswered);
        say(error);
    }
    return failure ? CP_EXIT_WRONG : CP_EXIT_VALID;
}

int cp_run_serve(char **arguments, int argument_count, char *const *environment)
{
    struct cp_config config;
    int operand_count;
    int status;
    if (!cp_command_options(&cp_config_table, &config, environment, arguments, argument_count, &operand_count, &status))
        return status;
    return serve(&config);
}
