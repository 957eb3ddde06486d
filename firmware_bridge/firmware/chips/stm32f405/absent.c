// Parts that this board does not have. They say what raises no fault, and chip.h leaves
// their capabilities out.

#include "hal.h"

struct hal_encoder hal_encoder_read(enum wheel wheel)
{
    (void)wheel;
    return (struct hal_encoder){0};
}

void hal_range_trigger(void)
{
}

bool hal_range_read(uint16_t *echo_us)
{
    (void)echo_us;
    return false;
}

bool hal_bump_is_pressed(void)
{
    return false;
}

bool hal_emergency_stop_is_open(void)
{
    return false;
}

void hal_battery_start(void)
{
}

uint16_t hal_battery_read(void)
{
    return UINT16_MAX;
}
