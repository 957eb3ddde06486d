// The rover's wheels in emulated time: mean drive in, quadrature edges out. The
// built-in model is a DC motor without load; it can be switched off, and a body
// outside then sets the wheels' speeds.
#pragma once

#include <stdbool.h>

#include "board.h"
#include "motor_pins.h"

struct wheel_parameters {
    double no_load_speed; // counts/s at full duty
    double time_constant; // s
    double friction;      // the duty (0..1) that just starts to move it
};

void wheel_init(avr_t *avr, const struct wheel_parameters *parameters);
void wheel_on_reset(void);

void wheel_use_model(bool on);
void wheel_set_speed(int wheel, double counts_per_second);

// A motor's mean drive since the same reader's last call, -1..1, as its shaft has it.
double wheel_take_drive(int wheel, enum drive_reader reader);

// Faults: encoder channels without a wire, a wheel that can't turn (of the built-in
// model), a motor with its wires the other way round.
enum { CHANNEL_A = 1, CHANNEL_B = 2 };
void wheel_unplug(int wheel, unsigned channels);
void wheel_jam(int wheel, bool jammed);
void wheel_swap_motor(int wheel, bool swapped);

double wheel_speed(int wheel);
long wheel_count(int wheel);

// The angle in counts at this moment; the encoder's count is its whole part.
double wheel_position(int wheel);
