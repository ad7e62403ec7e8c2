/* What is wrong with a request: collected while it is read, all of it, and written as an RFC 9457 problem document. */
#ifndef CP_PROBLEM_H
#define CP_PROBLEM_H

#include "core/finding.h"
#include "server/json/json.h"
#include "server/json/writer.h"
#include "server/service.h"

/* A place in the request, linked towards its root; lives on the stack of the functions that descend. */
struct cp_path {
    const struct cp_path *parent; /* NULL: this is the root, whose name and index do not count */
    struct cp_text name;          /* of a member, which may be empty; no bytes at all: `index` of an element */
    int64_t index;
};

#define CP_PATH_MEMBER(parent_, name_) ((struct cp_path){.parent = (parent_), .name = (name_)})
#define CP_PATH_INDEX(parent_, index_) ((struct cp_path){.parent = (parent_), .index = (index_)})

struct cp_problem_error {
    enum cp_code code;
    struct cp_text pointer; /* RFC 6901 */
    struct cp_text detail, suggestion;
    int64_t offset; /* byte in the body, or CP_UNKNOWN */
    struct cp_problem_error *next;
};

struct cp_problems {
    struct cp_arena *arena;
    struct cp_problem_error *first, **tail;
    uint32_t count; /* of all errors; the first CP_MAX_PROBLEM_ERRORS are kept */
};

void cp_problems_begin(struct cp_problems *problems, struct cp_arena *arena);

/* Is a further error only counted? Then its words are not worth any work. */
static inline bool cp_problems_full(const struct cp_problems *problems)
{
    return problems->count >= CP_MAX_PROBLEM_ERRORS;
}

/* Record an error. `at` may be NULL for the request as a whole. */
void cp_problem_add(struct cp_problems *problems, enum cp_code code, const struct cp_path *at,
                    const struct cp_argument *arguments, int argument_count) CP_RARE;

/* A finding of severity error as an error of the request: `layer` is where its layer stands. */
void cp_problem_add_finding(struct cp_problems *problems, const struct cp_finding *finding,
                            const struct cp_path *layer);

/* Bytes that are no JSON as they should be. */
void cp_problem_add_json(struct cp_problems *problems, const struct cp_json_error *error);

/* The computation took too long, or the server shuts down. */
void cp_report_stopped(struct cp_problems *problems);

/* The reply: the first error's code gives type, title and status, which is 422 for a finding. At least one error must have been recorded. */
void cp_problems_reply(const struct cp_problems *problems, struct cp_reply *reply);

/* One error, no place: for refusals of the transport and the router. */
void cp_problem_reply(enum cp_code code, struct cp_arena *arena, struct cp_reply *reply,
                      const struct cp_argument *arguments, int argument_count);

/* A template of core/status.def with its arguments put in. */
struct cp_text cp_message(struct cp_arena *arena, const char *pattern, const struct cp_argument *arguments,
                          int argument_count);

/* "did you mean `x`?", or empty for index -1. */
struct cp_text cp_did_you_mean(struct cp_arena *arena, struct cp_text nearest);

/* A string in quotes, cut where it is long, for "got …". */
struct cp_text cp_shown_string(struct cp_arena *arena, struct cp_text string);

/* What a JSON value is, in few words, for "got …". */
struct cp_text cp_describe_json(struct cp_arena *arena, const struct cp_json *value);

/* The path as an RFC 6901 pointer. */
struct cp_text cp_path_pointer(struct cp_arena *arena, const struct cp_path *path);

#endif
