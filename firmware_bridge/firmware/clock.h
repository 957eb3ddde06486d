// Time since start-up from Timer2: 4 us ticks, 250 of them a millisecond.
#pragma once

#include <stdint.h>

#define TICKS_PER_MS 250U
#define TICKS_PER_SECOND 250000L
#define US_PER_TICK 4U

void clock_init(void);

uint32_t clock_ms(void);

// Wraps after 71 minutes.
uint32_t clock_us(void);

// Wraps after 262 ms. Call it with interrupts off.
uint16_t clock_ticks_from_isr(void);
