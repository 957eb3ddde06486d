// Lock-step: once a leader outside has ordered a step, time passes only in the steps
// that are ordered. Between them the chip is held and its cycle counter stands.
#pragma once

#include <stdbool.h>

#include "board.h"

void lock_step_init(avr_t *avr);

// Let this many cycles pass, counted from where the last step should have ended: an
// instruction that goes over a step's end shortens the next step.
void lock_step_order(avr_cycle_count_t cycles);

// Run freely again.
void lock_step_release(void);

// A step has been ordered, and nobody has released it since.
bool lock_step_is_led(void);

// No cycle may pass now.
bool lock_step_is_held(void);

// Ordered, and not over yet.
bool lock_step_is_under_way(void);

// How much of `wanted` may pass now.
avr_cycle_count_t lock_step_allows(avr_cycle_count_t wanted);
