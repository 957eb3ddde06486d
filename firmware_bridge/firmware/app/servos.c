#include "servos.h"

#include "hal.h"
#include "settings.h"

// In 0.01 degree: 1 degree/s is one of them in a control period.
static struct {
    int16_t target, position;
} servos[SERVOS] = {
    {SERVO_RELEASED, SERVO_RELEASED},
    {SERVO_RELEASED, SERVO_RELEASED},
    {SERVO_RELEASED, SERVO_RELEASED},
};

static int16_t clamp(int16_t value, int16_t lowest, int16_t highest)
{
    if (value < lowest)
        return lowest;
    return value > highest ? highest : value;
}

static int16_t to_tenths(int16_t hundredths)
{
    return hundredths == SERVO_RELEASED ? SERVO_RELEASED : hundredths / 10;
}

static void apply(uint8_t servo)
{
    int16_t angle = servos_position(servo);
    hal_servo_set(
        servo, angle == SERVO_RELEASED ? 0 : settings_pulse_us(&servo_settings, servo, angle));
}

static int16_t into_range(uint8_t servo, int16_t angle)
{
    return 10 * clamp(angle, servo_settings.lowest[servo], servo_settings.highest[servo]);
}

void servos_set(uint8_t servo, int16_t angle)
{
    int16_t target = angle == SERVO_RELEASED ? SERVO_RELEASED : into_range(servo, angle);
    servos[servo].target = target;
    if (target == SERVO_RELEASED || servos[servo].position == SERVO_RELEASED)
        servos[servo].position = target;
    apply(servo);
}

void servos_release(void)
{
    for (uint8_t servo = 0; servo < SERVOS; servo++)
        servos_set(servo, SERVO_RELEASED);
}

void servos_adjust(void)
{
    for (uint8_t servo = 0; servo < SERVOS; servo++) {
        // Another scale or trim: an angle outside the range could be any pulse.
        if (servos[servo].position != SERVO_RELEASED)
            servos[servo].position = into_range(servo, servos_position(servo));
        servos_set(servo, servos_target(servo));
    }
}

void servos_step(void)
{
    for (uint8_t servo = 0; servo < SERVOS; servo++) {
        int16_t step = servo_settings.speed[servo];
        int32_t way = (int32_t)servos[servo].target - servos[servo].position;
        if (!way)
            continue;
        servos[servo].position += way > step ? step : way < -step ? -step : way;
        apply(servo);
    }
}

int16_t servos_target(uint8_t servo)
{
    return to_tenths(servos[servo].target);
}

int16_t servos_position(uint8_t servo)
{
    return to_tenths(servos[servo].position);
}

bool servos_are_moving(void)
{
    for (uint8_t servo = 0; servo < SERVOS; servo++)
        if (servos[servo].position != servos[servo].target)
            return true;
    return false;
}
