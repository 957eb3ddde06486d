#include "session.h"

#include <avr/interrupt.h>
#include <stdbool.h>

#include "drive.h"
#include "link.h"
#include "reset.h"
#include "schema_hash.h"

// Overridable, so that tests can build a chip from another time.
#ifndef ANNOUNCED_PROTOCOL_VERSION
#define ANNOUNCED_PROTOCOL_VERSION PROTOCOL_VERSION
#endif

#define FIRMWARE_MAJOR 0
#define FIRMWARE_MINOR 1

#ifdef REFLEXARC_TEST_HOOKS
#define CAPABILITIES (CAPABILITY_DRIVE | CAPABILITY_BATTERY | CAPABILITY_TEST_HOOKS)
#else
#define CAPABILITIES (CAPABILITY_DRIVE | CAPABILITY_BATTERY)
#endif

// A chip that restarted in mid-drive counts from 0 again. It says no to everything
// but HELLO, so that the host cannot fail to notice.
static bool greeted;

static void send_ack(const struct frame *request, uint8_t status)
{
    struct Ack ack = {.request = request->type, .status = status};
    uint8_t payload[BYTES_LENGTH_ACK];
    EncodeAck(&ack, payload);
    link_send(MESSAGE_TYPE_ACK, request->seq, payload, sizeof payload);
}

static uint8_t handle_hello(const struct frame *request)
{
    struct HelloReply reply = {
        .protocol_version = ANNOUNCED_PROTOCOL_VERSION,
        .schema_hash = SCHEMA_HASH,
        .firmware_version = {FIRMWARE_MAJOR, FIRMWARE_MINOR},
        .capabilities = CAPABILITIES,
        .reset_cause = reset_cause(),
        .boots = reset_boots(),
    };
    uint8_t payload[BYTES_LENGTH_HELLO_REPLY];
    // A new host does not know what the last one ordered.
    drive_stop();
    greeted = true;
    EncodeHelloReply(&reply, payload);
    link_send(MESSAGE_TYPE_HELLO_REPLY, request->seq, payload, sizeof payload);
    return STATUS_OK;
}

static uint8_t handle_drive(const struct frame *request)
{
    struct Drive drive;
    struct DriveAck ack;
    uint8_t payload[BYTES_LENGTH_DRIVE_ACK];
    DecodeDrive(&drive, request->payload);
    drive_set_speed(drive.speed);
    ack.speed[LEFT] = drive.speed[LEFT];
    ack.speed[RIGHT] = drive.speed[RIGHT];
    EncodeDriveAck(&ack, payload);
    link_send(MESSAGE_TYPE_DRIVE_ACK, request->seq, payload, sizeof payload);
    return STATUS_OK;
}

static uint8_t handle_stop(const struct frame *request)
{
    drive_stop();
    send_ack(request, STATUS_OK);
    return STATUS_OK;
}

#ifdef REFLEXARC_TEST_HOOKS
static uint8_t handle_hang(const struct frame *request)
{
    cli();
    while (request)
        ;
    return STATUS_OK;
}
#endif

static const struct handler {
    uint8_t type;
    uint8_t length; // of the payload
    // Replies itself where all is well; any other status is sent as an Ack.
    uint8_t (*handle)(const struct frame *request);
} handlers[] = {
    {MESSAGE_TYPE_HELLO, 0, handle_hello},
    {MESSAGE_TYPE_DRIVE, BYTES_LENGTH_DRIVE, handle_drive},
    {MESSAGE_TYPE_STOP, 0, handle_stop},
#ifdef REFLEXARC_TEST_HOOKS
    {MESSAGE_TYPE_HANG, 0, handle_hang},
#endif
};

static uint8_t dispatch(const struct frame *request)
{
    for (uint8_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        const struct handler *handler = &handlers[i];
        if (handler->type != request->type)
            continue;
        if (handler->length != request->length)
            return STATUS_BAD_LENGTH;
        if (!greeted && request->type != MESSAGE_TYPE_HELLO)
            return STATUS_HELLO_REQUIRED;
        return handler->handle(request);
    }
    return STATUS_UNKNOWN_TYPE;
}

void session_serve(void)
{
    struct frame request;
    if (!link_receive(&request))
        return;
    drive_host_is_alive();
    uint8_t status = dispatch(&request);
    if (status != STATUS_OK)
        send_ack(&request, status);
}

void session_send_state(uint16_t battery_mv)
{
    static uint8_t seq;
    struct State state;
    uint8_t payload[BYTES_LENGTH_STATE];
    if (!greeted)
        return;
    drive_get_state(&state);
    state.battery_mv = battery_mv;
    state.rx_errors = link_errors();
    if (reset_cause() & RESET_WATCHDOG)
        state.flags |= FLAG_WATCHDOG_RESET;
    EncodeState(&state, payload);
    // Counted even where it does not fit the buffer: the host sees the gap.
    link_send(MESSAGE_TYPE_STATE, seq++, payload, sizeof payload);
}
