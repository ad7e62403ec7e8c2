/* The body of the requests that ask about one stack of layers. */
#ifndef CP_STACK_QUESTION_H
#define CP_STACK_QUESTION_H

#include "server/plan_writing.h"
#include "server/reading.h"

struct cp_stack_question {
    struct cp_stack stack;
    struct cp_plan_style style; /* how the answer is to be written */
};

/* Read `input` or `inputs`, `layers`, `explain`, `covered`, `dtype` and `layout`. False after recording what is wrong;
 * `question` must not be moved afterwards. */
bool cp_read_stack_question(struct cp_reader *reader, struct cp_text body, struct cp_stack_question *question);

#endif
