// Bump switch and emergency stop, both with pull-ups.

#include "hal.h"
#include "parts.h"
#include "pins.h"

void switch_init(void)
{
    SWITCH_PORT |= _BV(BUMP_PIN) | _BV(EMERGENCY_STOP_PIN);
}

bool hal_bump_is_pressed(void)
{
    return !(SWITCH_PINS & _BV(BUMP_PIN));
}

bool hal_emergency_stop_is_open(void)
{
    return SWITCH_PINS & _BV(EMERGENCY_STOP_PIN);
}
