// The settings that hold now.
#pragma once

#include <stdbool.h>

#include "reflexarc_bp.h"
#include "speed_control.h"

extern struct DriveSettings drive_settings;
extern struct ServoSettings servo_settings;

void settings_take_defaults(void);

// All or nothing: false, and nothing taken, where one value is out of its range.
bool settings_set_drive(const struct DriveSettings *settings);
bool settings_set_servos(const struct ServoSettings *settings);

bool settings_has(uint8_t option);

struct gains settings_gains(void);

// The servo pulse for an angle in 0.1 degree.
int16_t settings_pulse_us(const struct ServoSettings *settings, uint8_t servo, int16_t angle);
