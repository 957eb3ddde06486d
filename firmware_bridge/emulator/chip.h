// The ATmega328P itself.
#pragma once

#include <stdbool.h>

#include "board.h"

// Loads the firmware; NULL where the file is not one.
avr_t *chip_create(const char *elf_path);

// Called on every reset, whoever asked for it.
void chip_on_reset(void (*call)(void));

// False when the chip has stopped for good (a crash, or sleep with interrupts off).
bool chip_run(avr_cycle_count_t cycles);

void chip_reset(void);

// The supply breaks down for this long: the chip is held in reset, its RAM forgets.
void chip_brown_out(avr_cycle_count_t cycles);
bool chip_is_in_reset(void);

unsigned long chip_resets(void);
bool chip_is_alive(void);
void chip_set_battery(unsigned millivolts);

// The light's red, green and blue as bits 0 to 2.
unsigned chip_light(void);
