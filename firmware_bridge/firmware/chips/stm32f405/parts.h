// The parts of the board that hal_init() sets up.
#pragma once

#include <stdbool.h>

void clock_init(void);
void motor_init(void);
void servo_init(void);
void light_init(void);
void uart_init(void);

bool uart_is_readable(void);
