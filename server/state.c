#include "server/state.h"

atomic_bool cp_draining;
