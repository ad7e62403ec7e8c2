/* The functions of the endpoint table, one file each. An endpoint fills in exchange->reply; whatever goes wrong is a
 * problem reply. */
#ifndef CP_ENDPOINTS_H
#define CP_ENDPOINTS_H

#include "server/json/writer.h"
#include "server/service.h"

void cp_endpoint_shapes(struct cp_exchange *exchange);
void cp_endpoint_roundtrip(struct cp_exchange *exchange);
void cp_endpoint_decoder(struct cp_exchange *exchange);
void cp_endpoint_sizes(struct cp_exchange *exchange);
void cp_endpoint_solve(struct cp_exchange *exchange);
void cp_endpoint_convolve(struct cp_exchange *exchange);
void cp_endpoint_diagram(struct cp_exchange *exchange);
void cp_endpoint_figure(struct cp_exchange *exchange);
void cp_endpoint_layers(struct cp_exchange *exchange);
void cp_endpoint_relationships(struct cp_exchange *exchange);
void cp_endpoint_relationship(struct cp_exchange *exchange);
void cp_endpoint_examples(struct cp_exchange *exchange);
void cp_endpoint_example(struct cp_exchange *exchange);
void cp_endpoint_problem(struct cp_exchange *exchange);
void cp_endpoint_openapi_yaml(struct cp_exchange *exchange);
void cp_endpoint_openapi_json(struct cp_exchange *exchange);
void cp_endpoint_index(struct cp_exchange *exchange);
void cp_endpoint_docs(struct cp_exchange *exchange);
void cp_endpoint_web_file(struct cp_exchange *exchange);
void cp_endpoint_health(struct cp_exchange *exchange);
void cp_endpoint_readiness(struct cp_exchange *exchange);
void cp_endpoint_metrics(struct cp_exchange *exchange);

/* Nanoseconds of the monotonic clock, for durations within a thread: also where a virtual machine is moved and that clock
 * goes back, this one goes on from where it was. */
uint64_t cp_now_ns(void);

/* From now on the time of the exchange goes to this phase. It begins with decoding, and ends when the endpoint returns. */
void cp_enter(struct cp_exchange *exchange, enum cp_answer_phase phase);

/* A 200 reply of JSON. */
void cp_reply_json(struct cp_exchange *exchange, const struct cp_writer *writer);

/* How much a client wants a type, in thousandths of its Accept header's q; 0: not at all, 1000 for an empty header. */
int cp_accept_quality(struct cp_text accept, const char *type);

/* Both terminated, constant or in the arena. */
void cp_reply_header(struct cp_reply *reply, const char *name, const char *value);

/* 404 for a {parameter} that names nothing; `hint` may be empty. */
void cp_reply_not_found(struct cp_exchange *exchange, struct cp_text hint);

#endif
