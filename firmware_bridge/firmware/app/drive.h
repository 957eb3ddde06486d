// Both wheels under speed control, and the rules that switch them off.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hal.h"
#include "reflexarc_bp.h"

// Takes set points in counts/s, clamps them in place to what will be driven, and
// switches the motors on.
void drive_set_speed(int16_t speed[WHEELS]);

// Motors off at once; they stay off until the next drive_set_speed().
void drive_stop(void);

bool drive_is_on(void);

// A set point or the measured mean speed is forward, with the motors on.
bool drive_is_forward(void);

// Motors off HOST_TIMEOUT_MS after the last set point. Nothing else that the host says
// counts: a part of it that lives on must not keep a robot going that nobody steers.
void drive_check_host(void);

// One control period; gives the FAULT_* that it found.
uint16_t drive_step(void);

// Time, encoders and speed of the last period, and the flags of the motors.
void drive_get_state(struct State *state);

void drive_get_duty(int16_t duty[WHEELS]);
