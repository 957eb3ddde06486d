// Why the chip started, how often, and the hardware watchdog.

#include <avr/interrupt.h>
#include <avr/wdt.h>

#include "hal.h"
#include "stack.h"

#define OVERFLOW_MARK 0x5AC3

// Not cleared at the start: what is in them survives everything but a loss of power.
static struct {
    uint16_t boots, not_boots;
    uint16_t overflow_mark;
} kept __attribute__((section(".noinit")));
static uint8_t cause __attribute__((section(".noinit")));

// Before main: after a watchdog reset the watchdog still runs, at its shortest time.
void reset_read_cause(void) __attribute__((naked, used, section(".init3")));
void reset_read_cause(void)
{
    cause = MCUSR;
    MCUSR = 0;
    wdt_disable();
    stack_paint();
    // A bootloader may have cleared the cause: what RAM holds must tell then.
    bool forgotten = kept.not_boots != (uint16_t)~kept.boots;
    if (forgotten && !cause)
        cause = RESET_POWER_ON;
    if (forgotten || cause & (RESET_POWER_ON | RESET_BROWN_OUT))
        kept.boots = 0;
    else if (kept.overflow_mark == OVERFLOW_MARK)
        cause = RESET_STACK_OVERFLOW;
    kept.overflow_mark = 0;
    kept.boots++;
    kept.not_boots = ~kept.boots;
}

uint8_t hal_reset_cause(void)
{
    return cause;
}

uint16_t hal_boots(void)
{
    return kept.boots;
}

void hal_watchdog_start(void)
{
    wdt_enable(WDTO_120MS);
}

void hal_watchdog_kick(void)
{
    wdt_reset();
}

void hal_stack_restart(void)
{
    cli();
    kept.overflow_mark = OVERFLOW_MARK;
    wdt_enable(WDTO_15MS);
    for (;;)
        ;
}

#ifdef REFLEXARC_TEST_HOOKS
void hal_hang(void)
{
    cli();
    for (;;)
        ;
}
#endif
