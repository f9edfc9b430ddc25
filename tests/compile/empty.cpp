/* SPDX-License-Identifier: Apache-2.0 */
/* The same in C++. */
#include "empty.c"
