// The parts of the board that hal_init() sets up.
#pragma once

void motor_init(void);
void light_init(void);
void encoder_init(void);
void servo_init(void);
void switch_init(void);
void battery_init(void);
