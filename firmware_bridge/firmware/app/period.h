// How regular the control is: the longest time between two of its steps.
#pragma once

#include <stdint.h>

void period_begin(uint32_t now_us);

// One ends and the next begins.
void period_end(uint32_t now_us);

// Since the start; stays at 65535.
uint16_t period_longest_us(void);
