#include "requests.h"

#include <stdbool.h>

#include "battery.h"
#include "drive.h"
#include "faults.h"
#include "frame.h"
#include "hal.h"
#include "period.h"
#include "range.h"
#include "servos.h"
#include "settings.h"
#include "settings_store.h"
#include "switches.h"

#define ANY_FAULT 0xFFFF

static uint8_t do_drive(uint8_t *payload)
{
    struct Drive drive;
    DecodeDrive(&drive, payload);
    drive_set_speed(drive.speed);
    EncodeDrive(&drive, payload);
    return STATUS_OK;
}

static uint8_t do_stop(uint8_t *payload)
{
    (void)payload;
    drive_stop();
    return STATUS_OK;
}

static uint8_t do_clear(uint8_t *payload)
{
    struct Clear clear;
    DecodeClear(&clear, payload);
    faults_clear(clear.faults);
    clear.faults = faults_latched();
    EncodeClear(&clear, payload);
    return STATUS_OK;
}

static uint8_t do_servos(uint8_t *payload)
{
    struct Servos servos;
    struct ServosReply reply;
    DecodeServos(&servos, payload);
    for (uint8_t servo = 0; servo < SERVOS; servo++) {
        if (servos.mask & 1 << servo)
            servos_set(servo, servos.angle[servo]);
        reply.angle[servo] = servos_target(servo);
    }
    EncodeServosReply(&reply, payload);
    return STATUS_OK;
}

static uint8_t do_light(uint8_t *payload)
{
    hal_light_set(payload[0] & (LIGHT_RED | LIGHT_GREEN | LIGHT_BLUE));
    return STATUS_OK;
}

static uint8_t do_get_state(uint8_t *payload)
{
    requests_put_state(payload);
    return STATUS_OK;
}

static uint8_t do_get_health(uint8_t *payload)
{
    requests_put_health(payload);
    return STATUS_OK;
}

static uint8_t do_get_drive_settings(uint8_t *payload)
{
    EncodeDriveSettings(&drive_settings, payload);
    return STATUS_OK;
}

static uint8_t do_drive_settings(uint8_t *payload)
{
    struct DriveSettings settings;
    DecodeDriveSettings(&settings, payload);
    return settings_set_drive(&settings) ? STATUS_OK : STATUS_BAD_VALUE;
}

static uint8_t do_get_servo_settings(uint8_t *payload)
{
    EncodeServoSettings(&servo_settings, payload);
    return STATUS_OK;
}

static uint8_t do_servo_settings(uint8_t *payload)
{
    struct ServoSettings settings;
    DecodeServoSettings(&settings, payload);
    if (!settings_set_servos(&settings))
        return STATUS_BAD_VALUE;
    servos_adjust();
    return STATUS_OK;
}

static uint8_t do_save_settings(uint8_t *payload)
{
    (void)payload;
    settings_save();
    return STATUS_OK;
}

static uint8_t do_default_settings(uint8_t *payload)
{
    (void)payload;
    settings_take_defaults();
    servos_adjust();
    return STATUS_OK;
}

static uint8_t do_get_clock(uint8_t *payload)
{
    struct GetClockReply reply = {.received_us = hal_us()};
    reply.sent_us = hal_us();
    EncodeGetClockReply(&reply, payload);
    return STATUS_OK;
}

#ifdef REFLEXARC_TEST_HOOKS
static uint8_t do_hang(uint8_t *payload)
{
    (void)payload;
    hal_hang();
}

static uint8_t do_overflow(uint8_t *payload)
{
    (void)payload;
    hal_stack_overflow();
    return STATUS_OK;
}
#endif

struct request {
    uint8_t type;
    uint8_t length;
    uint8_t reply_length;
    // Refused while one of these faults is latched.
    uint16_t faults;
    enum { ANY_TIME, MOTORS_OFF, MOTORS_OFF_NO_SAVE } when;
    uint8_t (*handle)(uint8_t *payload);
};

// What is asked most often comes first.
static const CHIP_FLASH struct request requests[] = {
    {MESSAGE_TYPE_DRIVE, BYTES_LENGTH_DRIVE, BYTES_LENGTH_DRIVE_REPLY, ANY_FAULT, ANY_TIME, do_drive},
    {MESSAGE_TYPE_GET_STATE, 0, BYTES_LENGTH_STATE, 0, ANY_TIME, do_get_state},
    {MESSAGE_TYPE_GET_CLOCK, 0, BYTES_LENGTH_GET_CLOCK_REPLY, 0, ANY_TIME, do_get_clock},
    {MESSAGE_TYPE_STOP, 0, 0, 0, ANY_TIME, do_stop},
    {MESSAGE_TYPE_CLEAR, BYTES_LENGTH_CLEAR, BYTES_LENGTH_CLEAR_REPLY, 0, ANY_TIME, do_clear},
    {MESSAGE_TYPE_SERVOS, BYTES_LENGTH_SERVOS, BYTES_LENGTH_SERVOS_REPLY, FAULT_BATTERY_LOW, ANY_TIME,
        do_servos},
    {MESSAGE_TYPE_LIGHT, BYTES_LENGTH_LIGHT, 0, FAULT_BATTERY_LOW, ANY_TIME, do_light},
    {MESSAGE_TYPE_GET_HEALTH, 0, BYTES_LENGTH_HEALTH, 0, ANY_TIME, do_get_health},
    {MESSAGE_TYPE_GET_DRIVE_SETTINGS, 0, BYTES_LENGTH_DRIVE_SETTINGS, 0, ANY_TIME,
        do_get_drive_settings},
    {MESSAGE_TYPE_DRIVE_SETTINGS, BYTES_LENGTH_DRIVE_SETTINGS, 0, 0, MOTORS_OFF_NO_SAVE, do_drive_settings},
    {MESSAGE_TYPE_GET_SERVO_SETTINGS, 0, BYTES_LENGTH_SERVO_SETTINGS, 0, ANY_TIME,
        do_get_servo_settings},
    {MESSAGE_TYPE_SERVO_SETTINGS, BYTES_LENGTH_SERVO_SETTINGS, 0, 0, MOTORS_OFF_NO_SAVE, do_servo_settings},
    // Also during a save: the host repeats it when the reply got lost.
    {MESSAGE_TYPE_SAVE_SETTINGS, 0, 0, 0, MOTORS_OFF, do_save_settings},
    {MESSAGE_TYPE_DEFAULT_SETTINGS, 0, 0, 0, MOTORS_OFF_NO_SAVE, do_default_settings},
#ifdef REFLEXARC_TEST_HOOKS
    {MESSAGE_TYPE_HANG, 0, 0, 0, ANY_TIME, do_hang},
    {MESSAGE_TYPE_OVERFLOW, 0, 0, 0, ANY_TIME, do_overflow},
#endif
};

uint8_t requests_handle(uint8_t type, uint8_t *payload, uint8_t *length)
{
    uint8_t received = *length;
    *length = 0;
    for (uint8_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const CHIP_FLASH struct request *request = &requests[i];
        if (request->type != type)
            continue;
        if (request->length != received)
            return STATUS_BAD_LENGTH;
        if (request->faults & faults_latched())
            return STATUS_FAULT;
        if (request->when >= MOTORS_OFF && drive_is_on())
            return STATUS_BUSY;
        if (request->when == MOTORS_OFF_NO_SAVE && settings_is_saving())
            return STATUS_BUSY;
        *length = request->reply_length;
        return request->handle(payload);
    }
    return STATUS_UNKNOWN_TYPE;
}

void requests_put_state(uint8_t *payload)
{
    struct State state;
    drive_get_state(&state);
    state.flags |= (switches_bump_is_pressed() ? FLAG_BUMP : 0)
        | (switches_emergency_stop_is_open() ? FLAG_EMERGENCY_STOP : 0)
        | (servos_are_moving() ? FLAG_SERVOS_MOVING : 0)
        | (settings_is_saving() ? FLAG_SAVING : 0);
    state.faults = faults_latched();
    EncodeState(&state, payload);
}

void requests_put_health(uint8_t *payload)
{
    struct Health health = {
        .battery_mv = battery_mv(),
        .range_mm = range_mm(),
        .rx_errors = frame_errors(),
        .longest_period_us = period_longest_us(),
        .stack_free = hal_stack_free(),
    };
    drive_get_duty(health.duty);
    for (uint8_t servo = 0; servo < SERVOS; servo++)
        health.servo[servo] = servos_position(servo);
    EncodeHealth(&health, payload);
}
