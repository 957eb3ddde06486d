// CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, not reflected.
#pragma once

#include <stdint.h>

#define CRC16_SIZE 2
#define CRC16_START 0xFFFF

uint16_t crc16_update(uint16_t crc, uint8_t byte);

uint16_t crc16(const uint8_t *data, uint8_t length);
