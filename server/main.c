#define _GNU_SOURCE 1 /* environ */

#include <unistd.h>

#include "server/cli.h"

int main(int argc, char **argv)
{
    return cp_cli(argc, argv, environ);
}
