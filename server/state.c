#include "server/state.h"

atomic_bool cp_draining;
atomic_bool cp_stopping;
