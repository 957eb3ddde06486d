// Speed control of one wheel: feed-forward plus PI on a reference model, 100 Hz.
// Pure integer C without AVR headers: the tests compile it for the host.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct speed_control {
    int16_t target;       // counts/s
    int16_t duty;         // -255..255, what the motor should get now
    int32_t reference_q8; // where the speed should be by now, counts/s * 256
    int32_t integral_q8;  // duty * 256
    int32_t feedback_q8;  // the PI part of the last step, duty * 256
};

void speed_control_reset(struct speed_control *control);

// Takes effect on `duty` at once, not only at the next step.
void speed_control_set_target(struct speed_control *control, int16_t target);

// One control period, with the measured speed in counts/s.
void speed_control_step(struct speed_control *control, int16_t speed);

// Target 0, and standing still: the motor is off.
bool speed_control_is_at_rest(const struct speed_control *control, int16_t speed);
