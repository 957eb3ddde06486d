// The chip's EEPROM in a file, so that settings survive the emulator too.
#pragma once

#include <stdbool.h>

#include "board.h"

// Loads `path` where it is there; false with errno set where it can't be read.
bool eeprom_init(avr_t *avr, const char *path);

// Writes the file anew where the chip has changed its EEPROM.
void eeprom_save(void);
