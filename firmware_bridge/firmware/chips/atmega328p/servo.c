// Servo pulses, 50 a second, on Timer1's free-running ticks of 0.5 us.
//
// Comparator B makes tilt's. Comparator A makes pan's and, half a period later, the
// gripper's. Pan and tilt are on the comparators' own pins: hardware makes their edges,
// and the interrupt only says what the next match shall do, so they do not jitter. The
// gripper's edges are made in the interrupt, as late as it is.

#include <avr/interrupt.h>
#include <util/atomic.h>

#include "hal.h"
#include "parts.h"
#include "pins.h"

#define TICKS_PER_US 2
#define PERIOD_TICKS (20000U * TICKS_PER_US)
#define HALF_PERIOD_TICKS (PERIOD_TICKS / 2)
// Where a servo is released, time passes all the same.
#define IDLE_TICKS (1000U * TICKS_PER_US)

#define PAN_RISES (_BV(COM1A1) | _BV(COM1A0))
#define PAN_FALLS _BV(COM1A1)
#define TILT_RISES (_BV(COM1B1) | _BV(COM1B0))
#define TILT_FALLS _BV(COM1B1)

enum { PAN, TILT, GRIPPER };

static volatile uint16_t widths[SERVOS]; // in ticks; 0 is no pulse

// simavr takes a comparator at 0 for one that never matches.
static inline uint16_t never_zero(uint16_t ticks)
{
    return ticks ? ticks : 1;
}

ISR(TIMER1_COMPA_vect)
{
    static uint8_t phase;
    static uint16_t start, width;
    switch (phase++) {
    case 0: // Pan has risen.
        start = OCR1A;
        TCCR1A &= ~PAN_RISES;
        if (width)
            TCCR1A |= PAN_FALLS;
        OCR1A = never_zero(start + (width ? width : IDLE_TICKS));
        return;
    case 1: // Pan has fallen.
        width = widths[GRIPPER];
        OCR1A = never_zero(start + HALF_PERIOD_TICKS);
        return;
    case 2:
        if (width)
            GRIPPER_PORT |= _BV(GRIPPER_PIN);
        OCR1A = never_zero(start + HALF_PERIOD_TICKS + (width ? width : IDLE_TICKS));
        return;
    default:
        GRIPPER_PORT &= ~_BV(GRIPPER_PIN);
        width = widths[PAN];
        TCCR1A &= ~PAN_RISES;
        if (width)
            TCCR1A |= PAN_RISES;
        OCR1A = never_zero(start + PERIOD_TICKS);
        phase = 0;
    }
}

ISR(TIMER1_COMPB_vect)
{
    static bool risen;
    static uint16_t start, width;
    risen = !risen;
    TCCR1A &= ~TILT_RISES;
    if (risen) {
        start = OCR1B;
        if (width)
            TCCR1A |= TILT_FALLS;
        OCR1B = never_zero(start + (width ? width : IDLE_TICKS));
    } else {
        width = widths[TILT];
        if (width)
            TCCR1A |= TILT_RISES;
        OCR1B = never_zero(start + PERIOD_TICKS);
    }
}

void servo_init(void)
{
    PAN_TILT_DDR |= _BV(PAN_PIN) | _BV(TILT_PIN);
    GRIPPER_DDR |= _BV(GRIPPER_PIN);
    // A quarter period apart, so that their interrupts do not wait for each other.
    OCR1A = IDLE_TICKS;
    OCR1B = IDLE_TICKS + PERIOD_TICKS / 4;
    TIMSK1 = _BV(OCIE1A) | _BV(OCIE1B);
}

void hal_servo_set(uint8_t servo, uint16_t pulse_us)
{
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) widths[servo] = pulse_us * TICKS_PER_US;
}
