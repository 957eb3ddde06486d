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
unsigned long chip_resets(void);
bool chip_is_alive(void);
void chip_set_battery(unsigned millivolts);
