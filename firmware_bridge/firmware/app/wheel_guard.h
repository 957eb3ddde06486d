// What can go wrong with one wheel, seen from its duty and its encoder. All times are
// in control periods of 10 ms.
//
// Encoder lost: the edges of a wheel faster than 800 counts/s end at once, and none comes
// for 30 ms while it is driven the same way (16 % of duty or more); or edges come, four
// and more a period, and make no counts for 30 ms: one channel is dead.
// Stall: more than 60 % of duty, and less than 20 counts in 400 ms.
// Runaway: faster than 600 counts/s against 30 % of duty or more, while the set point is
// 0 or the other way, and not slowing down for 50 ms. A reversal slows down.
#pragma once

#include <stdint.h>

#define WHEEL_ENCODER_LOST 0x01
#define WHEEL_STALLED 0x02
#define WHEEL_RUNS_AWAY 0x04

struct wheel_motion {
    int16_t target; // counts/s
    int16_t duty;   // that the motor had during the period
    int16_t speed;  // counts/s
    int16_t counts; // in the period
    uint8_t edges;  // in the period
};

struct wheel_guard {
    int16_t edge_speed;    // when the last edges came, the faster of two periods
    int16_t speed_before;
    uint8_t silent;        // periods without an edge since then
    uint8_t vain;          // periods with edges that made no counts
    uint8_t pushed;        // periods of hard drive
    int16_t pushed_counts; // since then
    uint8_t against;       // periods of turning against the drive
    int16_t against_speed; // when they began
};

void wheel_guard_reset(struct wheel_guard *guard);

// One control period with the motors on; gives what has gone wrong.
uint8_t wheel_guard_step(struct wheel_guard *guard, const struct wheel_motion *motion);
