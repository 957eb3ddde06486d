#include "app.h"

#include "battery.h"
#include "drive.h"
#include "faults.h"
#include "frame.h"
#include "hal.h"
#include "period.h"
#include "range.h"
#include "servos.h"
#include "session.h"
#include "settings_store.h"
#include "switches.h"

#define POLL_PERIOD_US 1000
#define CONTROL_PERIOD_US (CONTROL_PERIOD_MS * 1000UL)

static uint32_t next_poll_us, next_control_us;

// Gives true once a period. One that was missed is not made up for: two steps at once
// would count as 20 ms for what counts periods.
static bool is_due(uint32_t *next_us, uint32_t now_us, uint32_t period_us)
{
    if ((int32_t)(now_us - *next_us) < 0)
        return false;
    *next_us += period_us;
    if ((int32_t)(now_us - *next_us) >= 0)
        *next_us = now_us + period_us;
    return true;
}

static void poll(void)
{
    switches_step();
    faults_check_switches();
    drive_check_host();
    settings_save_step();
    frame_step();
    session_poll();
}

static void control(void)
{
    if (!hal_stack_is_intact()) {
        drive_stop();
        hal_stack_restart();
    }
    hal_battery_start();
    faults_raise(drive_step());
    servos_step();
    range_step();
    battery_step();
    faults_check_battery();
    session_step();
    // Only here: both the main loop and the clock must be alive.
    hal_watchdog_kick();
}

void app_init(void)
{
    session_init(settings_load());
    hal_watchdog_start();
    next_poll_us = hal_us();
    next_control_us = next_poll_us + CONTROL_PERIOD_US;
    period_begin(next_poll_us);
    control(); // The first answer to a host has measurements in it.
}

void app_run(void)
{
    session_serve();
    uint32_t now_us = hal_us();
    if (is_due(&next_poll_us, now_us, POLL_PERIOD_US))
        poll();
    if (is_due(&next_control_us, now_us, CONTROL_PERIOD_US)) {
        period_end(now_us);
        control();
    }
}
