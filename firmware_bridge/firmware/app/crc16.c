#include "crc16.h"

// Without a table: its 512 bytes would be an eighth of what the frames take.
uint16_t crc16_update(uint16_t crc, uint8_t byte)
{
    uint8_t high = crc >> 8, low = crc;
    byte ^= high;
    byte ^= byte >> 4;
    high = low ^ (uint8_t)(byte << 4) ^ (byte >> 3);
    low = byte ^ (uint8_t)(byte << 5);
    return (uint16_t)high << 8 | low;
}

uint16_t crc16(const uint8_t *data, uint8_t length)
{
    uint16_t crc = CRC16_START;
    while (length--)
        crc = crc16_update(crc, *data++);
    return crc;
}
