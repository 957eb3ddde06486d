// The stack grows down to stack_bottom. All of it is painted at the start: paint that is
// gone tells how far it got.
#pragma once

#include <stdint.h>

// Before main(); leaves what its caller has on the stack.
void stack_paint(void);
