// The processor's own instructions.
#pragma once

#include <stdint.h>

static inline void core_disable_interrupts(void)
{
    __asm volatile("cpsid i" ::: "memory");
}

static inline void core_enable_interrupts(void)
{
    __asm volatile("cpsie i" ::: "memory");
}

// Wakes up for a pending interrupt even where interrupts are off.
static inline void core_wait_for_interrupt(void)
{
    __asm volatile("wfi" ::: "memory");
}
