// 168 MHz from the internal oscillator, so that any board's crystal will do, and the time
// since the start from SysTick.

#include "hal.h"
#include "core.h"
#include "parts.h"
#include "registers.h"

#define MHZ 168
#define CYCLES_PER_MS (MHZ * 1000UL)

#define CR_PLL_ON BIT(24)
#define CR_PLL_READY BIT(25)
// 16 MHz / 16 * 336 / 2; / 7 for USB.
#define PLL_168_MHZ (16UL | 336UL << 6 | 7UL << 24)
#define CFGR_USE_PLL 2UL
#define CFGR_APB1_BY_4 (5UL << 10)
#define CFGR_APB2_BY_2 (4UL << 13)
#define FLASH_5_WAITS_AND_CACHES 0x705
// qemu's PLL is never ready, and its clock is 168 MHz all the same.
#define PLL_PATIENCE 100000

#define ICSR_SYSTICK_PENDING BIT(26)

static volatile uint32_t milliseconds;

static void use_pll(void)
{
    FLASH_INTERFACE->ACR = FLASH_5_WAITS_AND_CACHES;
    RCC->PLLCFGR = PLL_168_MHZ;
    RCC->CR |= CR_PLL_ON;
    for (uint32_t i = 0; i < PLL_PATIENCE && !(RCC->CR & CR_PLL_READY); i++)
        ;
    RCC->CFGR = CFGR_APB1_BY_4 | CFGR_APB2_BY_2;
    RCC->CFGR |= CFGR_USE_PLL;
}

void clock_init(void)
{
    use_pll();
    SYSTICK->LOAD = CYCLES_PER_MS - 1;
    SYSTICK->VAL = 0;
    SYSTICK->CTRL = 7; // processor clock, interrupt, on
}

void systick_handler(void)
{
    milliseconds++;
}

uint32_t hal_us(void)
{
    core_disable_interrupts();
    uint32_t ms = milliseconds;
    uint32_t cycles = CYCLES_PER_MS - 1 - SYSTICK->VAL;
    // It may have wrapped without the count knowing: the pending interrupt tells.
    if (SCB_ICSR & ICSR_SYSTICK_PENDING) {
        ms++;
        cycles = CYCLES_PER_MS - 1 - SYSTICK->VAL;
    }
    core_enable_interrupts();
    return ms * 1000 + cycles / MHZ;
}
