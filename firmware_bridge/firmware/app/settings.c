#include "settings.h"

#include <stdlib.h>

#include "hal.h"

#define CENTRE_US 1500
#define SHORTEST_US 500
#define LONGEST_US 2500
#define MAX_ANGLE 1800 // 0.1 degree
#define MAX_TRIM 500   // us
#define MAX_SCALE 3000 // us for 90 degrees
#define MAX_SLEW 2000  // degrees/s
#define MIN_SPEED 100  // counts/s: a wheel that may not turn is a setting gone wrong
#define ALL_OPTIONS                                                                            \
    (SETTING_LEFT_MOTOR_REVERSED | SETTING_RIGHT_MOTOR_REVERSED | SETTING_LEFT_ENCODER_REVERSED \
        | SETTING_RIGHT_ENCODER_REVERSED | SETTING_EMERGENCY_STOP_FITTED)

struct DriveSettings drive_settings;
struct ServoSettings servo_settings;

// The motor: 5500 counts/s at full duty (gain 21.6 counts/s per step of duty), time
// constant 60 ms. Period T = 10 ms.
//
// Feed-forward is the inverse gain, 255 / 5500. PI that cancels the motor's pole and
// leaves a loop of 40 ms (lambda tuning): Kp = 60 ms / (21.6 * 40 ms) = 0.07,
// Ki * T = Kp * 10 ms / 60 ms = 0.012. All times 2^12.
static const CHIP_FLASH struct DriveSettings default_drive = {
    .counts_per_revolution = 1440,
    .wheel_diameter = 6500,
    .wheel_separation = 1500,
    .feed_forward = 190,
    .proportional = 288,
    .integral = 48,
    .max_speed = MAX_SPEED,
    .battery_cut_mv = 6000,         // two lithium cells at 3 V
    .battery_full_scale_mv = 15000, // 5 V behind the 2:1 divider
    .options = SETTING_EMERGENCY_STOP_FITTED, // a board without one has a jumper there
};

static const CHIP_FLASH struct ServoSettings default_servos = {
    .lowest = {-900, -450, -450},
    .highest = {900, 900, 450},
    .trim = {0, 0, 0},
    .scale = {900, 900, 900},
    .speed = {180, 180, 180},
};

void settings_take_defaults(void)
{
    drive_settings = default_drive;
    servo_settings = default_servos;
}

bool settings_set_drive(const struct DriveSettings *settings)
{
    bool good = settings->counts_per_revolution && settings->wheel_diameter
        && settings->wheel_separation && settings->feed_forward <= MAX_GAIN
        && settings->proportional <= MAX_GAIN && settings->integral <= MAX_GAIN
        && settings->max_speed >= MIN_SPEED && settings->max_speed <= MAX_SPEED
        && settings->battery_cut_mv <= settings->battery_full_scale_mv
        && !(settings->options & ~ALL_OPTIONS);
    if (good)
        drive_settings = *settings;
    return good;
}

int16_t settings_pulse_us(const struct ServoSettings *settings, uint8_t servo, int16_t angle)
{
    return CENTRE_US + settings->trim[servo] + (int32_t)angle * settings->scale[servo] / 900;
}

static bool pulse_is_safe(const struct ServoSettings *settings, uint8_t servo, int16_t angle)
{
    int16_t us = settings_pulse_us(settings, servo, angle);
    return us >= SHORTEST_US && us <= LONGEST_US;
}

static bool servo_is_good(const struct ServoSettings *settings, uint8_t servo)
{
    int16_t lowest = settings->lowest[servo], highest = settings->highest[servo];
    return lowest >= -MAX_ANGLE && lowest <= highest && highest <= MAX_ANGLE
        && abs(settings->trim[servo]) <= MAX_TRIM && settings->scale[servo]
        && abs(settings->scale[servo]) <= MAX_SCALE && settings->speed[servo]
        && settings->speed[servo] <= MAX_SLEW && pulse_is_safe(settings, servo, lowest)
        && pulse_is_safe(settings, servo, highest);
}

bool settings_set_servos(const struct ServoSettings *settings)
{
    for (uint8_t servo = 0; servo < SERVOS; servo++)
        if (!servo_is_good(settings, servo))
            return false;
    servo_settings = *settings;
    return true;
}

bool settings_has(uint8_t option)
{
    return drive_settings.options & option;
}

struct gains settings_gains(void)
{
    return (struct gains){
        .feed_forward = drive_settings.feed_forward,
        .proportional = drive_settings.proportional,
        .integral = drive_settings.integral,
    };
}
