// The range sensor: the echo's length by Timer1's input capture, exact to 0.5 us.

#include <avr/interrupt.h>
#include <util/atomic.h>
#include <util/delay.h>

#include "clock.h"
#include "hal.h"
#include "pins.h"

#define TRIGGER_US 12
// A sensor that hears nothing may answer with 38 ms: longer than Timer1 takes to wrap.
#define LONGEST_MS 25

static volatile uint16_t echo_ticks;
static volatile bool echo_is_here;

ISR(TIMER1_CAPT_vect)
{
    static uint16_t start_ticks;
    static uint8_t start_ms;
    uint16_t ticks = ICR1;
    if (TCCR1B & _BV(ICES1)) {
        start_ticks = ticks;
        start_ms = clock_ms_low_byte();
        TCCR1B &= ~_BV(ICES1);
        TIFR1 = _BV(ICF1); // The change of edge may have set it.
        return;
    }
    echo_ticks = ticks - start_ticks;
    echo_is_here = (uint8_t)(clock_ms_low_byte() - start_ms) <= LONGEST_MS;
    TIMSK1 &= ~_BV(ICIE1);
}

void hal_range_trigger(void)
{
    // What answers later than the next question answers neither.
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) TIMSK1 &= ~_BV(ICIE1);
    echo_is_here = false;
    if (RANGE_PINS & _BV(RANGE_PIN))
        return; // Still answering.
    RANGE_PORT |= _BV(RANGE_PIN);
    RANGE_DDR |= _BV(RANGE_PIN);
    _delay_us(TRIGGER_US);
    RANGE_PORT &= ~_BV(RANGE_PIN);
    RANGE_DDR &= ~_BV(RANGE_PIN);
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        TCCR1B |= _BV(ICES1);
        TIFR1 = _BV(ICF1);
        TIMSK1 |= _BV(ICIE1);
    }
}

bool hal_range_read(uint16_t *echo_us)
{
    if (!echo_is_here)
        return false;
    // Nobody writes it any more.
    *echo_us = echo_ticks / EDGE_TICKS_PER_US;
    return true;
}
