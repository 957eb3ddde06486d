// The range sensor: asked every 50 ms.
#pragma once

#include <stdint.h>

// Once a control period.
void range_step(void);

// The newest distance, or RANGE_NONE.
uint16_t range_mm(void);

// Sound goes there and back: 5.83 us for a millimetre at 20 degrees Celsius.
uint16_t range_from_echo(uint16_t echo_us);
