#include "server/budgets.h"

struct cp_budgets cp_budgets = CP_DEFAULT_BUDGETS;
