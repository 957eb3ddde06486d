// The hardware as the tests want it: plain variables, which Python reads and writes.

#include "hal.h"

#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 4096

struct world {
    uint32_t us;
    struct {
        uint32_t edge_us;
        uint16_t count;
        uint8_t edges;
    } encoder[WHEELS];
    int16_t duty[WHEELS];
    uint16_t pulse_us[SERVOS];
    uint16_t echo_us; // 0: none
    uint16_t battery;
    uint8_t light;
    uint8_t bump, emergency_stop_open;
    uint8_t stack_gone;
    uint8_t lost_bytes;
    uint8_t memory_busy;
    uint16_t triggers, kicks;
    uint16_t send_room;
    int32_t writes_left; // until the power fails; below 0 it does not
    uint16_t received, taken, sent;
    uint8_t memory[CHIP_NONVOLATILE_SIZE];
    uint8_t from_host[LINE_SIZE], to_host[LINE_SIZE];
} world;

void hal_init(void)
{
}

void hal_sleep(void)
{
}

uint32_t hal_us(void)
{
    return world.us;
}

uint8_t hal_reset_cause(void)
{
    return RESET_POWER_ON;
}

uint16_t hal_boots(void)
{
    return 1;
}

void hal_watchdog_start(void)
{
}

void hal_watchdog_kick(void)
{
    world.kicks++;
}

bool hal_uart_read(uint8_t *byte)
{
    if (world.taken == world.received)
        return false;
    *byte = world.from_host[world.taken++];
    return true;
}

uint8_t hal_uart_free(void)
{
    return world.send_room > 127 ? 127 : world.send_room;
}

void hal_uart_write(const uint8_t *data, uint8_t length)
{
    if (length > world.send_room || world.sent + length > LINE_SIZE)
        abort();
    memcpy(world.to_host + world.sent, data, length);
    world.sent += length;
    world.send_room -= length;
}

uint8_t hal_uart_errors(void)
{
    return world.lost_bytes;
}

void hal_motor_set(enum wheel wheel, int16_t duty)
{
    if (duty < -MAX_DUTY || duty > MAX_DUTY)
        abort();
    world.duty[wheel] = duty;
}

struct hal_encoder hal_encoder_read(enum wheel wheel)
{
    return (struct hal_encoder){
        .count = world.encoder[wheel].count,
        .edges = world.encoder[wheel].edges,
        .edge_us = world.encoder[wheel].edge_us,
    };
}

void hal_servo_set(uint8_t servo, uint16_t pulse_us)
{
    if (pulse_us && (pulse_us < 500 || pulse_us > 2500))
        abort();
    world.pulse_us[servo] = pulse_us;
}

void hal_light_set(uint8_t color)
{
    world.light = color;
}

void hal_range_trigger(void)
{
    world.triggers++;
}

bool hal_range_read(uint16_t *echo_us)
{
    *echo_us = world.echo_us;
    return world.echo_us;
}

bool hal_bump_is_pressed(void)
{
    return world.bump;
}

bool hal_emergency_stop_is_open(void)
{
    return world.emergency_stop_open;
}

void hal_battery_start(void)
{
}

uint16_t hal_battery_read(void)
{
    return world.battery;
}

uint8_t hal_nonvolatile_read(uint8_t address)
{
    return world.memory[address];
}

void hal_nonvolatile_write(uint8_t address, uint8_t byte)
{
    if (world.memory_busy)
        abort();
    if (world.writes_left == 0)
        return;
    world.writes_left--;
    world.memory[address] = byte;
}

bool hal_nonvolatile_is_busy(void)
{
    return world.memory_busy;
}

bool hal_stack_is_intact(void)
{
    return !world.stack_gone;
}

uint16_t hal_stack_free(void)
{
    return 1234;
}

void hal_stack_restart(void)
{
    abort();
}
