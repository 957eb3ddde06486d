// Quadrature encoders of both wheels: every edge counted, by pin change interrupt.

#include <avr/interrupt.h>
#include <util/atomic.h>

#include "clock.h"
#include "hal.h"
#include "parts.h"
#include "pins.h"

static volatile struct reading {
    uint16_t count;
    uint16_t edge_ticks;
    uint8_t edges;
    uint8_t phase;
} readings[WHEELS];

// Forward goes 00 01 11 10 (B A). Index: phase before * 4 + phase now. Two changes
// at once cannot be told apart in direction and count nothing.
static const int8_t step_of_change[16] = {
    0, +1, -1, 0, //
    -1, 0, 0, +1, //
    +1, 0, 0, -1, //
    0, -1, +1, 0,
};

static inline uint8_t left_phase(void)
{
    return (LEFT_ENCODER_PINS >> LEFT_ENCODER_SHIFT) & 3;
}

static inline uint8_t right_phase(void)
{
    return (RIGHT_ENCODER_PINS >> RIGHT_ENCODER_SHIFT) & 3;
}

static inline void take_edge(volatile struct reading *reading, uint8_t phase)
{
    reading->edge_ticks = clock_edge_ticks();
    reading->count += step_of_change[reading->phase * 4 + phase];
    reading->phase = phase;
    reading->edges++;
}

ISR(PCINT2_vect)
{
    take_edge(&readings[LEFT], left_phase());
}

ISR(PCINT1_vect)
{
    take_edge(&readings[RIGHT], right_phase());
}

void encoder_init(void)
{
    // Pull-ups: many encoders have open collectors.
    LEFT_ENCODER_PORT |= 3 << LEFT_ENCODER_SHIFT;
    RIGHT_ENCODER_PORT |= 3 << RIGHT_ENCODER_SHIFT;
    readings[LEFT].phase = left_phase();
    readings[RIGHT].phase = right_phase();
    PCMSK2 = _BV(PCINT18) | _BV(PCINT19);
    PCMSK1 = _BV(PCINT10) | _BV(PCINT11);
    PCICR = _BV(PCIE2) | _BV(PCIE1);
}

struct hal_encoder hal_encoder_read(enum wheel wheel)
{
    struct reading now;
    uint16_t ticks;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        now = readings[wheel];
        ticks = clock_edge_ticks();
    }
    uint16_t age_us = (uint16_t)(ticks - now.edge_ticks) / EDGE_TICKS_PER_US;
    return (struct hal_encoder){
        .count = now.count,
        .edges = now.edges,
        .edge_us = hal_us() - age_us,
    };
}
