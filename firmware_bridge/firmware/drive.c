#include "drive.h"

#include <stdlib.h>
#include <util/atomic.h>

#include "clock.h"
#include "motor.h"
#include "speed_control.h"
#include "speed_estimator.h"

static struct speed_control controls[WHEELS];
static struct speed_estimator estimators[WHEELS];
static struct encoder_reading readings[WHEELS];
static uint32_t read_us;
static uint32_t host_heard_ms;
static bool motors_on;
static bool host_timed_out;

void drive_init(void)
{
    motor_init();
    encoder_init();
}

static void apply_duty(enum wheel wheel)
{
    motor_set_duty(wheel, controls[wheel].duty);
}

static int16_t clamp_speed(int16_t speed)
{
    if (speed > MAX_SPEED)
        return MAX_SPEED;
    return speed < -MAX_SPEED ? -MAX_SPEED : speed;
}

void drive_set_speed(int16_t speed[WHEELS])
{
    motors_on = true;
    host_timed_out = false;
    for (enum wheel wheel = LEFT; wheel < WHEELS; wheel++) {
        speed[wheel] = clamp_speed(speed[wheel]);
        speed_control_set_target(&controls[wheel], speed[wheel]);
        apply_duty(wheel);
    }
}

void drive_stop(void)
{
    motors_on = false;
    for (enum wheel wheel = LEFT; wheel < WHEELS; wheel++) {
        speed_control_reset(&controls[wheel]);
        apply_duty(wheel);
    }
}

void drive_host_is_alive(void)
{
    host_heard_ms = clock_ms();
}

void drive_check_host(void)
{
    if (motors_on && clock_ms() - host_heard_ms >= HOST_TIMEOUT_MS) {
        drive_stop();
        host_timed_out = true;
    }
}

void drive_step(void)
{
    read_us = clock_us();
    for (enum wheel wheel = LEFT; wheel < WHEELS; wheel++) {
        uint16_t now_ticks;
        ATOMIC_BLOCK(ATOMIC_RESTORESTATE) now_ticks = clock_ticks_from_isr();
        readings[wheel] = encoder_read(wheel);
        int16_t speed = speed_estimator_step(
            &estimators[wheel], readings[wheel].count, readings[wheel].edge_ticks, now_ticks);
        if (motors_on) {
            speed_control_step(&controls[wheel], speed);
            apply_duty(wheel);
        }
    }
}

void drive_get_state(struct State *state)
{
    state->t_us = read_us;
    state->flags = (motors_on ? FLAG_MOTORS_ON : 0) | (host_timed_out ? FLAG_HOST_TIMEOUT : 0);
    for (enum wheel wheel = LEFT; wheel < WHEELS; wheel++) {
        state->encoder[wheel] = readings[wheel].count;
        state->speed[wheel] = estimators[wheel].speed;
        state->duty[wheel] = controls[wheel].duty;
        if (abs(controls[wheel].duty) == MAX_DUTY)
            state->flags |= FLAG_SATURATED;
    }
}
