// The chip's pins as the board's wires see them: levels put on inputs, which hold over a
// reset of the chip, and the edges of all of them.
#pragma once

#include <stdbool.h>

#include "board.h"

void pins_init(avr_t *avr);
void pins_on_reset(void);

// What is wired to an input pulls it to this level from now on.
void pin_drive(struct pin pin, bool high);

// For pins behind a timer, whose true level simavr does not have: their owners say it.
void pin_note(struct pin pin, bool high);

// Record this pin's edges in the trace.
void pin_watch(struct pin pin);

// False where there is no such pin.
bool pin_parse(const char *name, struct pin *pin);
