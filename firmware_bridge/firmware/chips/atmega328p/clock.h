// Time: Timer2 makes milliseconds of 250 ticks; Timer1 runs free and stamps edges.
#pragma once

#include <avr/io.h>
#include <stdint.h>

// Timer1's ticks: 0.5 us each, and they wrap after 32 ms.
#define EDGE_TICKS_PER_US 2

void clock_init(void);

// Wraps after 256 ms. For interrupts.
uint8_t clock_ms_low_byte(void);

// Timer1 now. Only with interrupts off: its two bytes are read one after the other.
static inline uint16_t clock_edge_ticks(void)
{
    return TCNT1;
}
