#include "server/budgets.h"

#include "core/limits.h"

struct cp_budgets cp_budgets = CP_DEFAULT_BUDGETS;
