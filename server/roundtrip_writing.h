/* A judged round trip as JSON: the reply of /v1/roundtrip, and the `roundtrip` of /v1/decoder. */
#ifndef CP_ROUNDTRIP_WRITING_H
#define CP_ROUNDTRIP_WRITING_H

#include "core/roundtrip.h"
#include "server/plan_writing.h"

/* The whole object: valid, input, latent, output, encoder, decoder, pairs, findings. */
void cp_write_roundtrip(struct cp_writer *writer, const struct cp_plan *plan, const struct cp_pairing *pairing,
                        const struct cp_plan_style *style);

#endif
