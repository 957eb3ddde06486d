// The stack grows down towards the static data. All between them is painted at the
// start: paint that is gone tells how far it got.
#pragma once

#include <avr/io.h>
#include <stdint.h>

#define STACK_PAINT 0xC5

extern uint8_t _end[]; // of the static data

// Only before main(), with nothing on the stack yet: volatile keeps the compiler from
// calling memset(), which would paint over its own way back.
static inline void __attribute__((always_inline)) stack_paint(void)
{
    for (volatile uint8_t *byte = _end; byte <= (uint8_t *)RAMEND; byte++)
        *byte = STACK_PAINT;
}
