// The main loop's body: everything but what interrupts put aside for it.
#pragma once

#include <stdint.h>

void app_init(void);

// Once for each time that hal_sleep() returns.
void app_run(void);

// The longest time between two control steps since the start; stays at 65535.
uint16_t app_longest_period_us(void);
