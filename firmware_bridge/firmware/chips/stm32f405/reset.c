// Why the chip started, how often, what it kept, and the hardware watchdog.

#include <string.h>

#include "core.h"
#include "hal.h"
#include "registers.h"
#include "stack.h"

#define CSR_FORGET BIT(24)
#define CSR_BROWN_OUT BIT(25)
#define CSR_PIN BIT(26)
#define CSR_POWER_ON BIT(27)
#define CSR_SOFTWARE BIT(28)
#define CSR_WATCHDOG BIT(29)

#define OVERFLOW_MARK 0x5AC3
#define ERASED 0xFF

// Not cleared at the start: what is in them survives everything but a loss of power.
static struct {
    uint16_t boots, not_boots;
    uint16_t overflow_mark;
    uint8_t nonvolatile[CHIP_NONVOLATILE_SIZE];
} kept __attribute__((section(".noinit")));
static uint8_t cause;

static uint8_t cause_of(uint32_t status)
{
    if (status & CSR_WATCHDOG)
        return RESET_WATCHDOG;
    if (status & CSR_POWER_ON)
        return RESET_POWER_ON;
    if (status & CSR_BROWN_OUT)
        return RESET_BROWN_OUT;
    return RESET_EXTERNAL;
}

// Before main(): the status must be read before anybody can reset again.
void reset_read_cause(void)
{
    cause = cause_of(RCC->CSR);
    RCC->CSR |= CSR_FORGET;
    stack_paint();
    // RAM without its check has lost its power, even where the status (qemu's) is empty.
    if ((kept.boots ^ kept.not_boots) != UINT16_MAX) {
        kept.boots = 0;
        memset(kept.nonvolatile, ERASED, sizeof kept.nonvolatile);
        cause = RESET_POWER_ON;
    } else if (kept.overflow_mark == OVERFLOW_MARK) {
        cause = RESET_STACK_OVERFLOW;
    }
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

uint8_t hal_nonvolatile_read(uint8_t address)
{
    return kept.nonvolatile[address];
}

void hal_nonvolatile_write(uint8_t address, uint8_t byte)
{
    kept.nonvolatile[address] = byte;
}

bool hal_nonvolatile_is_busy(void)
{
    return false;
}

// The watchdog's own oscillator is 32 kHz, but may be 17 to 47: 120 ms are 82 to 226.
void hal_watchdog_start(void)
{
    IWDG->KR = 0x5555; // Unlocks the next two.
    IWDG->PR = 0;      // / 4
    IWDG->RLR = 120 * 32 / 4;
    IWDG->KR = 0xCCCC; // on
}

void hal_watchdog_kick(void)
{
    IWDG->KR = 0xAAAA;
}

void hal_stack_restart(void)
{
    core_disable_interrupts();
    kept.overflow_mark = OVERFLOW_MARK;
    SCB_AIRCR = 0x05FA0004;
    for (;;)
        ;
}

#ifdef REFLEXARC_TEST_HOOKS
void hal_hang(void)
{
    core_disable_interrupts();
    for (;;)
        ;
}
#endif
