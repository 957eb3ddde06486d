// Servos: they go to their targets no faster than their slew limit.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// In 0.1 degree, clamped to the servo's range; SERVO_RELEASED ends its pulses. From
// there it goes to its target at once, since nobody knows where it stands.
void servos_set(uint8_t servo, int16_t angle);

void servos_release(void);

// The settings have changed.
void servos_adjust(void);

// One control period.
void servos_step(void);

// In 0.1 degree, or SERVO_RELEASED.
int16_t servos_target(uint8_t servo);
int16_t servos_position(uint8_t servo);

bool servos_are_moving(void);
