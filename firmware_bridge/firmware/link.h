// Frames: COBS( type | seq | payload | CRC-16/CCITT-FALSE, high byte first ) and 0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reflexarc_bp.h"

struct frame {
    uint8_t type;
    uint8_t seq;
    uint8_t length; // of the payload
    uint8_t *payload;
};

// Works through the received bytes up to the end of the next good frame. The payload
// stays valid until the next call.
bool link_receive(struct frame *frame);

// False where the frame did not fit the send buffer: it is dropped, whole.
bool link_send(uint8_t type, uint8_t seq, const uint8_t *payload, uint8_t length);

// Frames and bytes thrown away since start-up; stays at its highest value.
uint16_t link_errors(void);
