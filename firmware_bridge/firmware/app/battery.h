// Battery voltage, and whether it is too low to go on: below the cut for 1 s, or below
// 4/5 of it for two readings, 10 ms apart.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Once a control period, some time after hal_battery_start().
void battery_step(void);

uint16_t battery_mv(void);

bool battery_is_low(void);

// Now, in the newest reading.
bool battery_is_below_cut(void);
