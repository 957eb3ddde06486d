// The firmware's frame parser on this machine. In: cases, each a u16 length and that many
// bytes of line. Out: for each frame an F, type, seq, length and payload; at the end of
// each case an E and the u16 number of broken frames since the start.

#include <stdio.h>

#include "frame.h"
#include "hal.h"

static uint8_t line[UINT16_MAX];
static size_t at, end;

bool hal_uart_read(uint8_t *byte)
{
    if (at == end)
        return false;
    *byte = line[at++];
    return true;
}

uint8_t hal_uart_free(void)
{
    return 0;
}

void hal_uart_write(const uint8_t *data, uint8_t length)
{
    (void)data;
    (void)length;
}

uint8_t hal_uart_errors(void)
{
    return 0;
}

static bool next_case(void)
{
    int low = getchar(), high = getchar();
    if (high == EOF)
        return false;
    at = 0;
    end = (size_t)low | (size_t)high << 8;
    return fread(line, 1, end, stdin) == end;
}

int main(void)
{
    while (next_case()) {
        struct frame frame;
        while (at < end) {
            if (!frame_receive(&frame))
                continue; // It takes a receive buffer at a time.
            const uint8_t head[] = {'F', frame.type, frame.seq, frame.length};
            fwrite(head, 1, sizeof head, stdout);
            fwrite(frame.payload, 1, frame.length, stdout);
        }
        uint16_t broken = frame_errors();
        const uint8_t tail[] = {'E', broken & 0xFF, broken >> 8};
        fwrite(tail, 1, sizeof tail, stdout);
    }
    return 0;
}
