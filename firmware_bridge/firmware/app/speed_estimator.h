// Wheel speed from encoder counts and the time of the last edge (the M/T method:
// Ohmae et al., 1982). Counting alone would give steps of 100 counts/s at 100 Hz.
#pragma once

#include <stdint.h>

struct speed_estimator {
    int32_t count;
    uint32_t edge_us;   // of the last edge that was used
    uint8_t idle_steps; // control periods without a count
    int16_t speed;      // counts/s
};

// One control period: the count, when its last edge came, and the time now.
// Gives the speed in counts/s.
int16_t speed_estimator_step(
    struct speed_estimator *estimator, int32_t count, uint32_t edge_us, uint32_t now_us);
