#include "stack.h"

#include "hal.h"

// An interrupt on top of a stack that has just reached the guard still fits into it.
#define GUARD_SIZE 48
#define GUARD_END (_end + GUARD_SIZE)
// No function leaves more than this of its frame unwritten.
#define LARGEST_GAP 80

bool hal_stack_is_intact(void)
{
    for (const uint8_t *byte = _end; byte < GUARD_END; byte++)
        if (*byte != STACK_PAINT)
            return false;
    return true;
}

// Goes on where it stood: from there down it looks for paint that is gone.
uint16_t hal_stack_free(void)
{
    static const uint8_t *lowest = (const uint8_t *)RAMEND;
    const uint8_t *byte = lowest;
    while (byte > GUARD_END && lowest - byte < LARGEST_GAP)
        if (*--byte != STACK_PAINT)
            lowest = byte;
    return lowest - GUARD_END;
}

#ifdef REFLEXARC_TEST_HOOKS
void __attribute__((noinline)) hal_stack_overflow(void)
{
    volatile uint8_t frame[8];
    for (uint8_t i = 0; i < sizeof frame; i++)
        frame[i] = i;
    if ((uint8_t *)frame >= GUARD_END)
        hal_stack_overflow();
    frame[0]++; // After the call, so that it is one and not a jump.
}
#endif
