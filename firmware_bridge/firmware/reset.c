#include "reset.h"

#include <avr/io.h>
#include <avr/wdt.h>

#include "reflexarc_bp.h"

// Not cleared at start-up: the count survives everything but a loss of power.
static uint16_t boots __attribute__((section(".noinit")));
static uint8_t cause __attribute__((section(".noinit")));

// Before main: after a watchdog reset the watchdog still runs, at its shortest time.
void reset_read_cause(void) __attribute__((naked, used, section(".init3")));
void reset_read_cause(void)
{
    cause = MCUSR;
    MCUSR = 0;
    wdt_disable();
    if (!(cause & (RESET_EXTERNAL | RESET_WATCHDOG)))
        boots = 0;
    boots++;
}

uint8_t reset_cause(void)
{
    return cause;
}

uint16_t reset_boots(void)
{
    return boots;
}

void watchdog_start(void)
{
    wdt_enable(WDTO_120MS);
}

void watchdog_kick(void)
{
    wdt_reset();
}
