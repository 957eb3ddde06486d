#include "frame.h"

#include <string.h>

#include "crc16.h"
#include "hal.h"

#define HEADER_SIZE 2
#define MAX_BODY (HEADER_SIZE + MAX_PAYLOAD + CRC16_SIZE)
#define MAX_FRAME (1 + MAX_BODY + 1)

static uint16_t errors;

static void count_errors(uint8_t more)
{
    errors = errors > UINT16_MAX - more ? UINT16_MAX : errors + more;
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
    if (decoder.broken || decoder.left || decoder.length < HEADER_SIZE + CRC16_SIZE)
        return false;
    uint8_t length = decoder.length - CRC16_SIZE;
    uint16_t crc = decoder.body[length] | (uint16_t)decoder.body[length + 1] << 8;
    return crc16(decoder.body, length) == crc;
}

bool frame_receive(struct frame *frame)
{
    uint8_t byte;
    // A line that never pauses must not keep the motor control waiting.
    for (uint8_t left = CHIP_RECEIVE_BUFFER; left && hal_uart_read(&byte); left--) {
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
        frame->length = decoder.length - HEADER_SIZE - CRC16_SIZE;
        decoder_restart();
        if (good)
            return true;
        count_errors(1);
    }
    return false;
}

// COBS (Cheshire and Baker, 1999): a block is what lies before a zero or the end, led by
// its length + 1 in the place of the zero before it.
static void send_block(uint8_t *code, const uint8_t *end)
{
    *code = end - code;
    hal_uart_write(code, end - code);
    *code = 0; // The checksum is of the original.
}

bool frame_has_room(void)
{
    return hal_uart_free() >= MAX_FRAME;
}

void frame_send(uint8_t type, uint8_t seq, const uint8_t *payload, uint8_t length)
{
    uint8_t frame[MAX_FRAME], *code = frame, *body = frame + 1;
    body[0] = type;
    body[1] = seq;
    memcpy(body + HEADER_SIZE, payload, length);
    uint8_t *at = body, *end = body + HEADER_SIZE + length, *body_end = end;
    for (;;) {
        if (at == end) {
            if (end != body_end)
                break;
            // Only now: the first blocks are on their way while it is worked out.
            uint16_t crc = crc16(body, end - body);
            *end++ = crc & 0xFF;
            *end++ = crc >> 8;
            *end = 0;
        }
        if (!*at) {
            send_block(code, at);
            code = at;
        }
        at++;
    }
    *code = end - code;
    hal_uart_write(code, end - code + 1);
}

void frame_step(void)
{
    static uint8_t counted;
    uint8_t now = hal_uart_errors();
    count_errors(now - counted);
    counted = now;
}

uint16_t frame_errors(void)
{
    return errors;
}
