// The length of the servos' pulses.
#pragma once

#include "board.h"

void servo_pins_init(avr_t *avr);
void servo_pins_on_reset(void);

// Of the last pulse, us; 0 where there has been none for longer than a period.
double servo_pins_width_us(int servo);
