// The serial port: interrupt driven, with a ring buffer each way.
#pragma once

#include <stdbool.h>

void uart_init(void);

bool uart_is_readable(void);
