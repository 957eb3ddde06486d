// Emulated cycles against the wall clock (CLOCK_MONOTONIC).
#pragma once

#include "board.h"

// speed: emulated seconds per second; 0 runs as fast as it can.
void timebase_init(avr_t *avr, double speed);

int64_t timebase_now_ns(void);

// When this cycle happened or will have happened for the outside world: never before
// its due time, because a slice is computed ahead of it.
int64_t timebase_wall_ns(avr_cycle_count_t cycle);

// Sleeps until the chip's present cycle is due.
void timebase_wait(void);
