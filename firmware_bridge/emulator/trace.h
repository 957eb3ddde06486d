// What happened when, for latency measurements: kept in rings until fetched.
#pragma once

#include <stdbool.h>

#include "board.h"

struct motor_event {
    avr_cycle_count_t cycle;
    int64_t wall_ns;
    int motor;
    int duty; // -255..255, as seen on the pins
};

struct frame_event {
    avr_cycle_count_t first_cycle, end_cycle; // first byte, closing zero: fully received
    int64_t first_wall_ns, end_wall_ns;
    unsigned length;
};

struct pin_event {
    avr_cycle_count_t cycle;
    struct pin pin;
    bool high;
};

void trace_motor(const struct motor_event *event);
void trace_frame(const struct frame_event *event);
void trace_pin(const struct pin_event *event);

// False where there is nothing (more) to fetch.
bool trace_next_motor(struct motor_event *event);
bool trace_next_frame(struct frame_event *event);
bool trace_next_pin(struct pin_event *event);

// Events that were overwritten before they were fetched.
unsigned long trace_lost(void);
