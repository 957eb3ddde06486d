// Frames: COBS( type | seq | payload | CRC-16, low byte first ) and 0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reflexarc_bp.h"

struct frame {
    uint8_t type;
    uint8_t seq;
    uint8_t length;   // of the payload
    uint8_t *payload; // room for MAX_PAYLOAD bytes
};

// Works through the received bytes up to the end of the next good frame, or as many of
// them as the receive buffer holds. The payload stays valid until the next call.
bool frame_receive(struct frame *frame);

// The longest frame fits the send buffer.
bool frame_has_room(void);

// Only where it has room.
void frame_send(uint8_t type, uint8_t seq, const uint8_t *payload, uint8_t length);

// Once a millisecond: counts the bytes that the serial port has lost.
void frame_step(void);

// Frames and bytes thrown away since the start; stays at its highest value.
uint16_t frame_errors(void);
