// The serial cable's faults: bytes lost, doubled, bits flipped.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cable_statistics {
    unsigned long dropped, flipped, duplicated;
};

// Parts per million of all bytes, both ways; the same seed gives the same faults.
void cable_set_faults(
    unsigned flip_ppm, unsigned drop_ppm, unsigned duplicate_ppm, unsigned seed);

// May change the byte; gives how often it arrives: 0, 1 or 2 times.
unsigned cable_pass(uint8_t *byte);

uint32_t cable_noise(void);

const struct cable_statistics *cable_statistics(void);
