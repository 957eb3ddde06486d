// The board's pins as a VCD file (IEEE 1364, section 18), for GTKWave and the like.
#pragma once

#include <stdbool.h>

#include "board.h"

// False with errno set where the file can't be written. Without it nothing is recorded.
bool vcd_open(avr_t *avr, const char *path);
void vcd_change(struct pin pin, bool high);
void vcd_close(void);
