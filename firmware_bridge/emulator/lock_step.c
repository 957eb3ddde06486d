#include "lock_step.h"

static avr_t *chip;
static bool is_led;
static avr_cycle_count_t step_end;

void lock_step_init(avr_t *avr)
{
    chip = avr;
}

void lock_step_order(avr_cycle_count_t cycles)
{
    step_end = (is_led ? step_end : chip->cycle) + cycles;
    is_led = true;
}

void lock_step_release(void)
{
    is_led = false;
}

bool lock_step_is_led(void)
{
    return is_led;
}

bool lock_step_is_held(void)
{
    return is_led && chip->cycle >= step_end;
}

bool lock_step_is_under_way(void)
{
    return is_led && chip->cycle < step_end;
}

avr_cycle_count_t lock_step_allows(avr_cycle_count_t wanted)
{
    if (!is_led)
        return wanted;
    if (lock_step_is_held())
        return 0;
    avr_cycle_count_t left = step_end - chip->cycle;
    return left < wanted ? left : wanted;
}
