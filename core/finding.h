/* Findings: what the planner has to say about a stack, as numbers. They become words at the edge, once, through the
 * templates of core/status.def. */
#ifndef CP_FINDING_H
#define CP_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/shape.h"
#include "core/text.h"

/* Every code of a finding or a problem; names, texts and HTTP statuses are in core/status.def. */
enum cp_code {
#define CP_FINDING(code, severity, title, detail, suggestion, page) CP_CODE_##code,
#define CP_PROBLEM(code, status, title, detail, suggestion, page) CP_CODE_##code,
#include "core/status.def"
#undef CP_FINDING
#undef CP_PROBLEM
    CP_CODE_COUNT,
};

enum cp_severity { CP_SEVERITY_ERROR, CP_SEVERITY_WARNING };

struct cp_status {
    const char *code; /* as clients see it, and the last part of /problems/{code} */
    int http_status;  /* of a problem; 200 for a finding */
    enum cp_severity severity;
    const char *title;
    const char *detail;     /* template: {0} … {7} stand for the arguments */
    const char *suggestion; /* template; "" for none */
    const char *page;       /* what it means and how to mend it, for people */
};

extern const struct cp_status cp_statuses[CP_CODE_COUNT];

/* One number, word or shape of a message. */
struct cp_argument {
    enum cp_argument_kind { CP_ARGUMENT_NUMBER, CP_ARGUMENT_TEXT, CP_ARGUMENT_SHAPE } kind;
    union {
        int64_t number;
        struct cp_text text;
        const struct cp_shape *shape;
    };
};

#define CP_MAX_ARGUMENTS 8

static inline struct cp_argument cp_number(int64_t number)
{
    return (struct cp_argument){.kind = CP_ARGUMENT_NUMBER, .number = number};
}

static inline struct cp_argument cp_words(const char *words)
{
    return (struct cp_argument){.kind = CP_ARGUMENT_TEXT, .text = cp_text_of(words)};
}

static inline struct cp_argument cp_name(struct cp_text name)
{
    return (struct cp_argument){.kind = CP_ARGUMENT_TEXT, .text = name};
}

/* The shape must outlive the finding (it lies in the arena or in a plan). */
static inline struct cp_argument cp_dimensions(const struct cp_shape *shape)
{
    return (struct cp_argument){.kind = CP_ARGUMENT_SHAPE, .shape = shape};
}

#define CP_ARGUMENTS(...)                                                                                              \
    (struct cp_argument[]){__VA_ARGS__}, (int)(sizeof((struct cp_argument[]){__VA_ARGS__}) / sizeof(struct cp_argument))

/* One value that repairs the finding, written at the layer's `member`. With it alone the layer has no errors but those
 * that were found beside; the fixes of a round trip belong together. */
struct cp_fix {
    const char *member; /* NULL: no single value repairs it */
    enum cp_fix_form { CP_FIX_INTEGER, CP_FIX_LIST, CP_FIX_PAIRS, CP_FIX_BOOLEAN, CP_FIX_WORD, CP_FIX_NULL } form;
    int count;                       /* of a list; of [begin, end] pairs; 1 otherwise */
    int64_t values[2 * CP_MAX_AXES]; /* integers; pairs flat: b0, e0, b1, e1 …; 0 or 1 */
    const char *word;                /* CP_FIX_WORD */
};

/* `axis` of a finding: a spatial axis 0 … CP_MAX_AXES − 1, or none. */
#define CP_NO_AXIS (-1)

struct cp_finding {
    enum cp_code code;
    enum cp_severity severity;
    uint32_t layer;     /* index in its stack */
    const char *member; /* the member at fault; NULL: the layer as a whole */
    int axis;           /* spatial axis 0 …, or CP_NO_AXIS */
    int axes;           /* spatial axes of the layer, which name the axis: L, H W, or D H W */
    int argument_count;
    struct cp_argument arguments[CP_MAX_ARGUMENTS];
    struct cp_fix fix;
    struct cp_finding *next;
};

struct cp_findings {
    struct cp_arena *arena;
    struct cp_finding *first, **tail;
    uint32_t count;   /* of those kept: at most CP_MAX_FINDINGS */
    uint32_t dropped; /* past that limit */
    uint32_t errors;  /* of severity error, dropped ones included */
};

/* `findings` must not be moved afterwards: it points into itself. */
void cp_findings_begin(struct cp_findings *findings, struct cp_arena *arena);

/* Append a finding and return it, for its member, axis or fix to be set. Past CP_MAX_FINDINGS it is only counted.
 * Never NULL. */
struct cp_finding *cp_findings_add(struct cp_findings *findings, enum cp_code code, uint32_t layer,
                                   const struct cp_argument *arguments, int argument_count);

/* Make a warning an error. */
void cp_finding_raise(struct cp_findings *findings, struct cp_finding *finding);

#endif
