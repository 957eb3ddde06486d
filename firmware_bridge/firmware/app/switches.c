#include "switches.h"

#include "hal.h"
#include "settings.h"

#define SAMPLES 0x0F

static struct contact {
    uint8_t history; // the newest sample in bit 0
    bool active;
} bump, emergency_stop;

static void take_sample(struct contact *contact, bool active)
{
    contact->history = contact->history << 1 | active;
    if ((contact->history & SAMPLES) == SAMPLES)
        contact->active = true;
    else if (!(contact->history & SAMPLES))
        contact->active = false;
}

void switches_step(void)
{
    take_sample(&bump, hal_bump_is_pressed());
    take_sample(&emergency_stop, hal_emergency_stop_is_open());
}

bool switches_bump_is_pressed(void)
{
    return bump.active;
}

bool switches_emergency_stop_is_open(void)
{
    return emergency_stop.active && settings_has(SETTING_EMERGENCY_STOP_FITTED);
}
