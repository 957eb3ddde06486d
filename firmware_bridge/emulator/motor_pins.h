// Reads the motors' drive off the pins: the edges of PWM and direction.
#pragma once

#include "board.h"

void motor_pins_init(avr_t *avr);
void motor_pins_on_reset(void);

// Once a millisecond: a pin without edges is a steady 0 or 255.
void motor_pins_check_idle(void);

// Mean drive of a motor since the last call with the same `reader`, -1..1.
enum drive_reader { READER_WHEEL, READER_EXCHANGE, READERS };
double motor_pins_take_mean(int motor, enum drive_reader reader);

// -255..255
int motor_pins_duty(int motor);

// When the PWM pin last moved.
avr_cycle_count_t motor_pins_last_edge(int motor);
