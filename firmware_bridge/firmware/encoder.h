// Quadrature encoders of both wheels: every edge counted, by pin change interrupt.
#pragma once

#include <stdint.h>

enum wheel { LEFT, RIGHT, WHEELS };

struct encoder_reading {
    int32_t count;       // forward is positive
    uint16_t edge_ticks; // time of the last edge
};

void encoder_init(void);

struct encoder_reading encoder_read(enum wheel wheel);
