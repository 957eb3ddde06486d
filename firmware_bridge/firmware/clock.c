#include "clock.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

static volatile uint32_t milliseconds;
static volatile uint16_t ticks_at_millisecond;

ISR(TIMER2_COMPA_vect)
{
    milliseconds++;
    ticks_at_millisecond += TICKS_PER_MS;
}

void clock_init(void)
{
    TCCR2A = _BV(WGM21);
    OCR2A = TICKS_PER_MS - 1;
    TIMSK2 = _BV(OCIE2A);
    TCCR2B = _BV(CS22); // 16 MHz / 64
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

uint16_t clock_ticks_from_isr(void)
{
    return ticks_at_millisecond + ticks_in_millisecond();
}

uint32_t clock_ms(void)
{
    uint32_t now;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) now = milliseconds;
    return now;
}

uint32_t clock_us(void)
{
    uint32_t ms;
    uint16_t ticks;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        ms = milliseconds;
        ticks = ticks_in_millisecond();
    }
    return ms * 1000 + ticks * US_PER_TICK;
}
