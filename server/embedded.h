/* Files of the source tree that are part of the program: server/embed.S puts them there. All of it is constant and lives
 * as long as the program; no text is terminated. */
#ifndef CP_EMBEDDED_H
#define CP_EMBEDDED_H

#include "core/text.h"

/* openapi.yaml: the description of the API. */
extern const struct cp_text cp_embedded_openapi_yaml;

/* A well-known network: server/examples/NAME.json, a request of /v1/shapes. */
struct cp_example {
    const char *name;
    struct cp_text request;
};

/* In the order of server/examples.def. */
extern const struct cp_example cp_examples[];
extern const int cp_example_count;

/* A file of the web pages: server/web/NAME. */
struct cp_web_file {
    const char *name; /* with its extension, which tells the type */
    struct cp_text bytes;
};

/* In the order of server/web.def. */
extern const struct cp_web_file cp_web_files[];
extern const int cp_web_file_count;

/* What the assembler writes word by word. */
_Static_assert(sizeof(struct cp_text) == 2 * sizeof(void *), "a text is a pointer and a size");
_Static_assert(sizeof(struct cp_example) == 3 * sizeof(void *), "an example is a pointer and a text");
_Static_assert(sizeof(struct cp_web_file) == 3 * sizeof(void *), "a web file is a pointer and a text");

#endif
