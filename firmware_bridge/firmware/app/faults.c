#include "faults.h"

#include "battery.h"
#include "drive.h"
#include "servos.h"
#include "switches.h"

static uint16_t latched;

void faults_raise(uint16_t faults)
{
    latched |= faults;
    if (faults)
        drive_stop();
    if (faults & FAULT_BATTERY_LOW) {
        servos_release();
        hal_light_set(0);
    }
}

void faults_check_switches(void)
{
    if (switches_emergency_stop_is_open())
        faults_raise(FAULT_EMERGENCY_STOP);
    if (switches_bump_is_pressed() && drive_is_forward())
        faults_raise(FAULT_BUMP);
}

void faults_check_battery(void)
{
    if (battery_is_low())
        faults_raise(FAULT_BATTERY_LOW);
}

uint16_t faults_latched(void)
{
    return latched;
}

void faults_clear(uint16_t faults)
{
    if (switches_emergency_stop_is_open())
        faults &= ~FAULT_EMERGENCY_STOP;
    if (battery_is_below_cut())
        faults &= ~FAULT_BATTERY_LOW;
    latched &= ~faults;
}
