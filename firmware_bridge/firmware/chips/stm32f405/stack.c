#include "stack.h"

#include "hal.h"

#define PAINT 0xC5C5C5C5
// An interrupt on top of a stack that has just reached the guard still fits into it.
#define GUARD_WORDS 32
// No function leaves more than this of its frame unwritten.
#define LARGEST_GAP_WORDS 64

extern uint32_t stack_bottom, stack_top;

#define GUARD_END (&stack_bottom + GUARD_WORDS)

void __attribute__((noinline)) stack_paint(void)
{
    uint32_t *here = __builtin_frame_address(0);
    for (volatile uint32_t *word = &stack_bottom; word < here - GUARD_WORDS; word++)
        *word = PAINT;
}

bool hal_stack_is_intact(void)
{
    for (const uint32_t *word = &stack_bottom; word < GUARD_END; word++)
        if (*word != PAINT)
            return false;
    return true;
}

// Goes on where it stood: from there down it looks for paint that is gone.
uint16_t hal_stack_free(void)
{
    static const uint32_t *lowest = &stack_top;
    const uint32_t *word = lowest;
    while (word > GUARD_END && lowest - word < LARGEST_GAP_WORDS)
        if (*--word != PAINT)
            lowest = word;
    return (lowest - GUARD_END) * sizeof *word;
}

#ifdef REFLEXARC_TEST_HOOKS
void __attribute__((noinline)) hal_stack_overflow(void)
{
    volatile uint32_t frame[4];
    for (uint8_t i = 0; i < 4; i++)
        frame[i] = i;
    if ((uint32_t *)frame >= GUARD_END)
        hal_stack_overflow();
    frame[0]++; // After the call, so that it is one and not a jump.
}
#endif
