// Both wheels under speed control, and the rules that switch them off.
#pragma once

#include <stdint.h>

#include "encoder.h"
#include "reflexarc_bp.h"

void drive_init(void);

// Takes set points in counts/s, clamps them in place to what will be driven, and
// switches the motors on.
void drive_set_speed(int16_t speed[WHEELS]);

// Motors off at once; they stay off until the next drive_set_speed().
void drive_stop(void);

// The host said something valid.
void drive_host_is_alive(void);

// Motors off where the host has been silent for HOST_TIMEOUT_MS.
void drive_check_host(void);

// One control period.
void drive_step(void);

// Time, encoders, speed, duty and flags of the last period.
void drive_get_state(struct State *state);
