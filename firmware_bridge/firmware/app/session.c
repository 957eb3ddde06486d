#include "session.h"

#include "drive.h"
#include "faults.h"
#include "frame.h"
#include "hal.h"
#include "requests.h"
#include "schema_hash.h"

// Overridable, so that tests can build a chip from another time.
#ifndef ANNOUNCED_PROTOCOL_VERSION
#define ANNOUNCED_PROTOCOL_VERSION PROTOCOL_VERSION
#endif

#define FIRMWARE_MAJOR 0
#define FIRMWARE_MINOR 2

#ifdef REFLEXARC_TEST_HOOKS
#define TEST_CAPABILITIES CAPABILITY_TEST_HOOKS
#else
#define TEST_CAPABILITIES 0
#endif
#define CAPABILITIES (CHIP_CAPABILITIES | TEST_CAPABILITIES)

#define PERIODS_PER_HEALTH (HEALTH_PERIOD_MS / CONTROL_PERIOD_MS)
// Between two states, so that a reply never waits for both.
#define HEALTH_AFTER_STATE_MS (CONTROL_PERIOD_MS / 2)
// What a HELLO counts as that does not give the host's name.
#define NAMELESS_SESSION 1

// Of the last HELLO. 0: a chip that has just started, and whose counts began again. It
// says no to everything else, so that the host cannot fail to notice.
static uint32_t session, last_session;
// The host has said nothing since but HELLO.
static bool only_greeted;
static uint8_t settings_source;
static bool state_is_due, health_is_due;
static uint8_t health_in_ms;

void session_init(uint8_t source)
{
    settings_source = source;
}

static uint8_t greet(uint8_t *payload, uint8_t length)
{
    struct Hello hello = {.session = 0};
    if (length >= BYTES_LENGTH_HELLO)
        DecodeHello(&hello, payload);
    uint32_t greeted = hello.session ? hello.session : NAMELESS_SESSION;
    // Where the reply got lost, the host says HELLO again: what it has not heard yet, a
    // restart above all, must be in this reply too.
    if (!only_greeted || greeted != session)
        last_session = session;
    session = greeted;
    only_greeted = true;
    struct HelloReply reply = {
        .protocol_version = ANNOUNCED_PROTOCOL_VERSION,
        .schema_hash = SCHEMA_HASH,
        .board_kind = CHIP_BOARD_KIND,
        .firmware_version = {FIRMWARE_MAJOR, FIRMWARE_MINOR},
        .capabilities = CAPABILITIES,
        .reset_cause = hal_reset_cause(),
        .boots = hal_boots(),
        .last_session = last_session,
        .settings_source = settings_source,
        .receive_buffer = CHIP_RECEIVE_BUFFER,
    };
    EncodeHelloReply(&reply, payload);
    // A new host does not know what the last one ordered.
    drive_stop();
    health_is_due = true;
    return BYTES_LENGTH_HELLO_REPLY;
}

static void send_ack(const struct frame *request, uint8_t status)
{
    struct Ack ack = {
        .request = request->type,
        .status = status,
        .detail = status == STATUS_FAULT ? faults_latched() : 0,
    };
    EncodeAck(&ack, request->payload);
    frame_send(MESSAGE_TYPE_ACK, request->seq, request->payload, BYTES_LENGTH_ACK);
}

static void answer(const struct frame *request)
{
    uint8_t length = request->length, status = STATUS_HELLO_REQUIRED;
    if (request->type == MESSAGE_TYPE_HELLO) {
        length = greet(request->payload, length);
        status = STATUS_OK;
    } else if (session) {
        only_greeted = false;
        status = requests_handle(request->type, request->payload, &length);
    }
    if (status == STATUS_OK && length)
        frame_send(request->type | 0x80, request->seq, request->payload, length);
    else
        send_ack(request, status);
}

// False where one that is due has no room yet.
static bool send_streams(void)
{
    static uint8_t state_seq, health_seq;
    uint8_t payload[MAX_PAYLOAD];
    if (health_is_due) {
        if (!frame_has_room())
            return false;
        requests_put_health(payload);
        frame_send(MESSAGE_TYPE_HEALTH, health_seq++, payload, BYTES_LENGTH_HEALTH);
        health_is_due = false;
    }
    if (state_is_due) {
        if (!frame_has_room())
            return false;
        requests_put_state(payload);
        frame_send(MESSAGE_TYPE_STATE, state_seq++, payload, BYTES_LENGTH_STATE);
        state_is_due = false;
    }
    return true;
}

void session_serve(void)
{
    struct frame request;
    // A request waits in the receive buffer until its reply has room: none is lost.
    if (!send_streams() || !frame_has_room() || !frame_receive(&request))
        return;
    answer(&request);
}

void session_step(void)
{
    static uint8_t periods;
    if (!session)
        return;
    state_is_due = true;
    if (++periods >= PERIODS_PER_HEALTH) {
        periods = 0;
        health_in_ms = HEALTH_AFTER_STATE_MS;
    }
}

void session_poll(void)
{
    if (health_in_ms && !--health_in_ms)
        health_is_due = true;
}
