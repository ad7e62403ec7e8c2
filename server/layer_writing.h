/* A layer as its author would write it: the counterpart of server/reading.h, driven by the same member tables. */
#ifndef CP_LAYER_WRITING_H
#define CP_LAYER_WRITING_H

#include "core/layer.h"
#include "server/json/writer.h"

/* The object {"type", "name", and every member that is marked as given}. Numbers that are the same on every axis are
 * written once; shapes go out in the layout asked for. Sources are not written: the layer follows the one before. */
void cp_write_layer(struct cp_writer *writer, const struct cp_layer *layer, bool channels_last);

#endif
