#include "battery.h"

#include "hal.h"
#include "settings.h"

#define LOW_PERIODS (1000 / CONTROL_PERIOD_MS)
#define VERY_LOW_PERIODS 2

static uint16_t millivolts;
static uint8_t low_periods, very_low_periods;

static void count_below(uint16_t limit, uint8_t *periods, uint8_t enough)
{
    if (millivolts >= limit)
        *periods = 0;
    else if (*periods < enough)
        ++*periods;
}

void battery_step(void)
{
    millivolts = (uint32_t)hal_battery_read() * drive_settings.battery_full_scale_mv >> 16;
    uint16_t cut = drive_settings.battery_cut_mv;
    count_below(cut, &low_periods, LOW_PERIODS);
    count_below(cut - cut / 5, &very_low_periods, VERY_LOW_PERIODS);
}

uint16_t battery_mv(void)
{
    return millivolts;
}

bool battery_is_low(void)
{
    return low_periods == LOW_PERIODS || very_low_periods == VERY_LOW_PERIODS;
}

bool battery_is_below_cut(void)
{
    return millivolts < drive_settings.battery_cut_mv;
}
