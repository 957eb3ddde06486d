// The serial cable's faults: bytes lost, bits flipped.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cable_statistics {
    unsigned long dropped, flipped;
};

// Parts per million of all bytes, both ways; the same seed gives the same faults.
void cable_set_faults(unsigned flip_ppm, unsigned drop_ppm, unsigned seed);

// May change the byte; false where it is lost.
bool cable_pass(uint8_t *byte);

uint32_t cable_noise(void);

const struct cable_statistics *cable_statistics(void);
