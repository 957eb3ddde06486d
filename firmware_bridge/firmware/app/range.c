#include "range.h"

#include "hal.h"
#include "reflexarc_bp.h"

#define PERIODS 5
#define LONGEST_MM 4000
// 2^16 / 5.83
#define MM_PER_US_Q16 11241

static uint16_t newest_mm = RANGE_NONE;

uint16_t range_from_echo(uint16_t echo_us)
{
    uint16_t mm = (uint32_t)echo_us * MM_PER_US_Q16 >> 16;
    return mm > LONGEST_MM ? RANGE_NONE : mm;
}

void range_step(void)
{
    static uint8_t periods;
    uint16_t echo_us;
    if (++periods < PERIODS)
        return;
    periods = 0;
    newest_mm = hal_range_read(&echo_us) ? range_from_echo(echo_us) : RANGE_NONE;
    hal_range_trigger();
}

uint16_t range_mm(void)
{
    return newest_mm;
}
