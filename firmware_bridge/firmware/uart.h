// The serial port: interrupt driven, with a ring buffer each way.
#pragma once

#include <stdbool.h>
#include <stdint.h>

void uart_init(void);

bool uart_read(uint8_t *byte);

bool uart_is_readable(void);

// Queues all of `data` or nothing: half a frame is worse than none, and waiting for
// room would hold up the motor control.
bool uart_write(const uint8_t *data, uint8_t length);

// Bytes lost or misread since start-up (wraps).
uint16_t uart_errors(void);
