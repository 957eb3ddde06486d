#include "drive.h"

#include <stdlib.h>

#include "settings.h"
#include "speed_control.h"
#include "speed_estimator.h"
#include "switches.h"
#include "wheel_guard.h"

#define HOST_BRAKE_MS 200

static struct {
    struct speed_control control;
    struct speed_estimator estimator;
    struct wheel_guard guard;
    int32_t count; // forward is positive
    struct hal_encoder reading;
} wheels[WHEELS];

static uint32_t measured_us, ordered_us;
static bool motors_on, host_timed_out;

static void apply_duty(enum wheel wheel)
{
    int16_t duty = wheels[wheel].control.duty;
    hal_motor_set(wheel, settings_has(SETTING_LEFT_MOTOR_REVERSED << wheel) ? -duty : duty);
}

static int16_t clamp_speed(int16_t speed)
{
    int16_t highest = switches_bump_is_pressed() ? 0 : drive_settings.max_speed;
    int16_t lowest = -(int16_t)drive_settings.max_speed;
    if (speed > highest)
        return highest;
    return speed < lowest ? lowest : speed;
}

void drive_set_speed(int16_t speed[WHEELS])
{
    struct gains gains = settings_gains();
    motors_on = true;
    host_timed_out = false;
    ordered_us = hal_us();
    for (enum wheel wheel = LEFT; wheel < WHEELS; wheel++) {
        speed[wheel] = clamp_speed(speed[wheel]);
        if (speed[wheel] == wheels[wheel].control.target)
            continue; // What a host mostly says, several times a period.
        speed_control_set_target(&wheels[wheel].control, &gains, speed[wheel]);
        apply_duty(wheel);
    }
}

void drive_stop(void)
{
    motors_on = false;
    for (enum wheel wheel = LEFT; wheel < WHEELS; wheel++) {
        speed_control_reset(&wheels[wheel].control);
        wheel_guard_reset(&wheels[wheel].guard);
        apply_duty(wheel);
    }
}

bool drive_is_on(void)
{
    return motors_on;
}

bool drive_is_forward(void)
{
    int32_t sum = (int32_t)wheels[LEFT].estimator.speed + wheels[RIGHT].estimator.speed;
    return motors_on
        && (wheels[LEFT].control.target > 0 || wheels[RIGHT].control.target > 0
            || sum > WHEELS * REST_SPEED);
}

// A silent host: first the wheels are brought to rest, then the motors go off.
static void brake(void)
{
    struct gains gains = settings_gains();
    for (enum wheel wheel = LEFT; wheel < WHEELS; wheel++)
        if (wheels[wheel].control.target)
            speed_control_set_target(&wheels[wheel].control, &gains, 0);
}

void drive_check_host(void)
{
    if (motors_on && hal_us() - ordered_us >= HOST_BRAKE_MS * 1000UL)
        brake();
    if (motors_on && hal_us() - ordered_us >= HOST_TIMEOUT_MS * 1000UL) {
        drive_stop();
        host_timed_out = true;
    }
}

// Gives the wheel's motion in the period that is over.
static struct wheel_motion measure(enum wheel wheel)
{
    struct hal_encoder now = hal_encoder_read(wheel);
    int16_t counts = now.count - wheels[wheel].reading.count;
    uint8_t edges = now.edges - wheels[wheel].reading.edges;
    wheels[wheel].reading = now;
    if (settings_has(SETTING_LEFT_ENCODER_REVERSED << wheel))
        counts = -counts;
    wheels[wheel].count += counts;
    return (struct wheel_motion){
        .target = wheels[wheel].control.target,
        .duty = wheels[wheel].control.duty,
        .speed = speed_estimator_step(
            &wheels[wheel].estimator, wheels[wheel].count, now.edge_us, measured_us),
        .counts = counts,
        .edges = edges,
    };
}

static uint16_t faults_of(enum wheel wheel, uint8_t wrong)
{
    return (wrong & WHEEL_ENCODER_LOST ? FAULT_ENCODER_LEFT << wheel : 0)
        | (wrong & WHEEL_STALLED ? FAULT_STALL_LEFT << wheel : 0)
        | (wrong & WHEEL_RUNS_AWAY ? FAULT_RUNAWAY_LEFT << wheel : 0);
}

uint16_t drive_step(void)
{
    struct gains gains = settings_gains();
    uint16_t faults = 0;
    measured_us = hal_us();
    for (enum wheel wheel = LEFT; wheel < WHEELS; wheel++) {
        struct wheel_motion motion = measure(wheel);
        if (!motors_on)
            continue;
        faults |= faults_of(wheel, wheel_guard_step(&wheels[wheel].guard, &motion));
        speed_control_step(&wheels[wheel].control, &gains, motion.speed);
        apply_duty(wheel);
    }
    return faults;
}

void drive_get_state(struct State *state)
{
    state->t_us = measured_us;
    state->flags = (motors_on ? FLAG_MOTORS_ON : 0) | (host_timed_out ? FLAG_HOST_TIMEOUT : 0);
    for (enum wheel wheel = LEFT; wheel < WHEELS; wheel++) {
        state->encoder[wheel] = wheels[wheel].count;
        state->speed[wheel] = wheels[wheel].estimator.speed;
        if (abs(wheels[wheel].control.duty) == MAX_DUTY)
            state->flags |= FLAG_SATURATED;
    }
}

void drive_get_duty(int16_t duty[WHEELS])
{
    for (enum wheel wheel = LEFT; wheel < WHEELS; wheel++)
        duty[wheel] = wheels[wheel].control.duty;
}
