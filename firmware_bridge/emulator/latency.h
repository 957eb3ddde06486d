// How long interrupts wait: from being pending and enabled to their first instruction.
#pragma once

#include "board.h"

void latency_init(avr_t *avr);

// The vectors that have run; NULL at the table's end.
const char *latency_name(int vector);

// The longest wait so far, cycles; 0 where it never ran.
avr_cycle_count_t latency_worst(int vector);
