#include "link.h"

#include <string.h>
#include <util/crc16.h>

#include "uart.h"

#define HEADER_SIZE 2
#define CRC_SIZE 2
#define MAX_BODY (HEADER_SIZE + MAX_PAYLOAD + CRC_SIZE)

static uint16_t bad_frames;

static uint16_t crc16(const uint8_t *data, uint8_t length)
{
    uint16_t crc = 0xFFFF;
    while (length--)
        crc = _crc_xmodem_update(crc, *data++);
    return crc;
}

// COBS, undone byte by byte: a code byte says how many data bytes follow before the
// next zero of the original.
static struct {
    uint8_t body[MAX_BODY];
    uint8_t length;
    uint8_t left; // data bytes until the next code byte
    bool started;
    bool broken;
} decoder;

static void decoder_restart(void)
{
    decoder.length = 0;
    decoder.left = 0;
    decoder.started = false;
    decoder.broken = false;
}

static void decoder_put(uint8_t byte)
{
    if (decoder.length < MAX_BODY)
        decoder.body[decoder.length++] = byte;
    else
        decoder.broken = true; // Too long: skip to the next zero.
}

static void decoder_take(uint8_t byte)
{
    if (decoder.left) {
        decoder.left--;
        decoder_put(byte);
        return;
    }
    // MAX_BODY is below 254, so every code byte but the first stands for a zero.
    if (decoder.started)
        decoder_put(0);
    decoder.started = true;
    decoder.left = byte - 1;
}

static bool decoder_has_frame(void)
{
    // CRC over data and its own CRC is 0.
    return !decoder.broken && decoder.left == 0 && decoder.length >= HEADER_SIZE + CRC_SIZE
        && crc16(decoder.body, decoder.length) == 0;
}

bool link_receive(struct frame *frame)
{
    uint8_t byte;
    while (uart_read(&byte)) {
        if (byte) {
            decoder_take(byte);
            continue;
        }
        if (!decoder.started)
            continue; // Zeros between frames only flush the line.
        bool good = decoder_has_frame();
        frame->type = decoder.body[0];
        frame->seq = decoder.body[1];
        frame->payload = decoder.body + HEADER_SIZE;
        frame->length = decoder.length - HEADER_SIZE - CRC_SIZE;
        decoder_restart();
        if (good)
            return true;
        bad_frames++;
    }
    return false;
}

static uint8_t cobs_encode(const uint8_t *data, uint8_t length, uint8_t *out)
{
    uint8_t code_at = 0, end = 1;
    for (uint8_t i = 0; i < length; i++) {
        if (data[i]) {
            out[end++] = data[i];
            continue;
        }
        out[code_at] = end - code_at;
        code_at = end++;
    }
    out[code_at] = end - code_at;
    return end;
}

bool link_send(uint8_t type, uint8_t seq, const uint8_t *payload, uint8_t length)
{
    uint8_t body[MAX_BODY];
    uint8_t encoded[MAX_BODY + 2];
    body[0] = type;
    body[1] = seq;
    memcpy(body + HEADER_SIZE, payload, length);
    length += HEADER_SIZE;
    uint16_t crc = crc16(body, length);
    body[length++] = crc >> 8;
    body[length++] = crc & 0xFF;
    uint8_t end = cobs_encode(body, length, encoded);
    encoded[end++] = 0;
    return uart_write(encoded, end);
}

uint16_t link_errors(void)
{
    uint32_t sum = (uint32_t)bad_frames + uart_errors();
    return sum > UINT16_MAX ? UINT16_MAX : sum;
}
