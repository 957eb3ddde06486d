#include "clock.h"

#include <avr/interrupt.h>
#include <util/atomic.h>

#include "hal.h"

#define TICKS_PER_MS 250U
#define US_PER_TICK 4U

// Of the last whole millisecond.
static volatile uint32_t microseconds;
static volatile uint8_t milliseconds;

ISR(TIMER2_COMPA_vect)
{
    microseconds += 1000;
    milliseconds++;
}

void clock_init(void)
{
    TCCR2A = _BV(WGM21);
    OCR2A = TICKS_PER_MS - 1;
    TIMSK2 = _BV(OCIE2A);
    TCCR2B = _BV(CS22); // 16 MHz / 64
    TCCR1B = _BV(CS11); // 16 MHz / 8
}

// Ticks since the last millisecond that was counted. With interrupts off the timer
// may have wrapped without the count knowing: the pending flag tells.
static uint16_t ticks_in_millisecond(void)
{
    uint8_t ticks = TCNT2;
    if ((TIFR2 & _BV(OCF2A)) && ticks < TICKS_PER_MS / 2)
        return ticks + TICKS_PER_MS;
    return ticks;
}

uint32_t hal_us(void)
{
    uint32_t us;
    uint16_t ticks;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        us = microseconds;
        ticks = ticks_in_millisecond();
    }
    return us + ticks * US_PER_TICK;
}

uint8_t clock_ms_low_byte(void)
{
    return milliseconds;
}
