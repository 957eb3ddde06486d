// Both motors' PWM (Timer0, 7.8 kHz) and direction pins.
#pragma once

#include <stdint.h>

#include "encoder.h"

// Motors off.
void motor_init(void);

// -255..255; 0 leaves both pins low.
void motor_set_duty(enum wheel wheel, int16_t duty);
