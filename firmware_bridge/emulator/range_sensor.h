// An ultrasonic range sensor with question and echo on one wire.
#pragma once

#include <stdbool.h>

#include "board.h"

void range_sensor_init(avr_t *avr);
void range_sensor_on_reset(void);

// Distance of what is before it; 0: nothing, and it does not answer.
void range_sensor_set(unsigned mm);

unsigned long range_sensor_questions(void);
