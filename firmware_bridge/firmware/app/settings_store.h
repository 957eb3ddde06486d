// Settings in non-volatile memory: two slots, written in turn, so that one is always
// whole. A slot is version | sequence | settings as on the wire | CRC-16; its version is
// made invalid first and written last.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Takes the newest whole slot, or the built-in values; gives a SETTINGS_SOURCE_*.
uint8_t settings_load(void);

// Starts to save what holds now, or starts anew. settings_save_step() must be called until
// it is done.
void settings_save(void);

// Writes a byte where the memory is ready for one.
void settings_save_step(void);

bool settings_is_saving(void);
