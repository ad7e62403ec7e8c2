/* The version of the program: --version, and what reports name as their tool. */
#ifndef CP_VERSION_H
#define CP_VERSION_H

#define CP_VERSION "0.1.0"

#endif
