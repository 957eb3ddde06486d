// Speed control of one wheel: feed-forward plus PI on a reference model, 100 Hz.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Duty per count/s times 2^12; the integral's is for a control period.
struct gains {
    uint16_t feed_forward;
    uint16_t proportional;
    uint16_t integral;
};

// 4 steps of duty per count/s. With MAX_SPEED and this no sum overflows.
#define MAX_GAIN 16384

#define REST_SPEED 60 // counts/s: 15 degrees of wheel a second

struct speed_control {
    int16_t target;       // counts/s
    int16_t duty;         // -255..255, what the motor should get now
    int32_t reference_q8; // where the speed should be by now, counts/s * 2^8
    int32_t integral_q12; // duty * 2^12
    int32_t feedback_q12; // the PI part of the last step, duty * 2^12
};

void speed_control_reset(struct speed_control *control);

// Takes effect on `duty` at once, not only at the next step.
void speed_control_set_target(
    struct speed_control *control, const struct gains *gains, int16_t target);

// One control period, with the measured speed in counts/s.
void speed_control_step(struct speed_control *control, const struct gains *gains, int16_t speed);

// Target 0, and standing still: the motor is off.
bool speed_control_is_at_rest(const struct speed_control *control, int16_t speed);
