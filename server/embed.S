/* The constants of server/embedded.h: the bytes of files, and the structures that point to them. In assembler, because
 * .incbin takes a file as it is, and because only here a size is known as a constant. */

#if __SIZEOF_POINTER__ == 8
#define WORD .quad
#define WORD_BYTES 8
#else
#define WORD .long
#define WORD_BYTES 4
#endif

/* The bytes of a file between two local labels. */
.macro file label, path
\label\()_begin:
    .incbin "\path"
\label\()_end:
.endm

/* A struct cp_text of such a file. */
.macro text label
    WORD \label\()_begin
    WORD \label\()_end - \label\()_begin
.endm

.macro constant name
    .balign WORD_BYTES
    .globl \name
    .type \name, %object
\name:
.endm

.macro end_of name
    .size \name, . - \name
.endm

/* ---- Bytes ---- */

    .section .rodata

    file .Lopenapi_yaml, "openapi.yaml"

.macro example_file name
    file .Lexample_\name, "server/examples/\name\().json"
.Lexample_\name\()_name:
    .asciz "\name"
.endm
#define EXAMPLE(name) example_file name
#include "server/examples.def"
#undef EXAMPLE

.macro web_file name, extension
    file .Lweb_\name\()_\extension, "server/web/\name\().\extension"
.Lweb_\name\()_\extension\()_name:
    .asciz "\name\().\extension"
.endm
#define WEB_FILE(name, extension) web_file name, extension
#include "server/web.def"
#undef WEB_FILE

constant cp_example_count
    .long (.Lexamples_end - .Lexamples_begin) / (3 * WORD_BYTES)
end_of cp_example_count

constant cp_web_file_count
    .long (.Lweb_files_end - .Lweb_files_begin) / (3 * WORD_BYTES)
end_of cp_web_file_count

/* ---- Structures: constant once the loader has put in the addresses ---- */

    .section .data.rel.ro, "aw", %progbits

constant cp_embedded_openapi_yaml
    text .Lopenapi_yaml
end_of cp_embedded_openapi_yaml

.macro example name
    WORD .Lexample_\name\()_name
    text .Lexample_\name
.endm
constant cp_examples
.Lexamples_begin:
#define EXAMPLE(name) example name
#include "server/examples.def"
#undef EXAMPLE
.Lexamples_end:
end_of cp_examples

.macro web_file_row name, extension
    WORD .Lweb_\name\()_\extension\()_name
    text .Lweb_\name\()_\extension
.endm
constant cp_web_files
.Lweb_files_begin:
#define WEB_FILE(name, extension) web_file_row name, extension
#include "server/web.def"
#undef WEB_FILE
.Lweb_files_end:
end_of cp_web_files

    .section .note.GNU-stack, "", %progbits
