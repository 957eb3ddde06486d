#include "encoder.h"

#include <avr/interrupt.h>
#include <util/atomic.h>

#include "clock.h"
#include "pins.h"

static volatile struct encoder_reading readings[WHEELS];
static uint8_t phases[WHEELS];

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

static inline void take_edge(enum wheel wheel, uint8_t phase)
{
    readings[wheel].count += step_of_change[phases[wheel] * 4 + phase];
    readings[wheel].edge_ticks = clock_ticks_from_isr();
    phases[wheel] = phase;
}

ISR(PCINT2_vect)
{
    take_edge(LEFT, left_phase());
}

ISR(PCINT1_vect)
{
    take_edge(RIGHT, right_phase());
}

void encoder_init(void)
{
    // Pull-ups: many encoders have open collectors.
    PORTD |= _BV(PD2) | _BV(PD3);
    PORTC |= _BV(PC2) | _BV(PC3);
    phases[LEFT] = left_phase();
    phases[RIGHT] = right_phase();
    PCMSK2 = _BV(PCINT18) | _BV(PCINT19);
    PCMSK1 = _BV(PCINT10) | _BV(PCINT11);
    PCICR = _BV(PCIE2) | _BV(PCIE1);
}

struct encoder_reading encoder_read(enum wheel wheel)
{
    struct encoder_reading reading;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) reading = readings[wheel];
    return reading;
}
