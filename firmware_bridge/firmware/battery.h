// Battery voltage from the ADC.
#pragma once

#include <stdint.h>

void battery_init(void);

// The last conversion in millivolts; starts the next one.
uint16_t battery_step(void);
