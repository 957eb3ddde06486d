// The whole pin map. Arduino Uno/Nano names in brackets.
//
//   PD0, PD1 [D0, D1]   serial line to the host
//   PD5 [D5]  PWM       left motor, OC0B     } the pins of the common "E1 M1 E2 M2"
//   PD4 [D4]  direction left motor           } motor shields; direction high is
//   PD6 [D6]  PWM       right motor, OC0A    } backward
//   PD7 [D7]  direction right motor          }
//   PD2, PD3 [D2, D3]   left encoder A, B    (pin change group 2)
//   PC2, PC3 [A2, A3]   right encoder A, B   (pin change group 1)
//   PC0 [A0]            battery through a 2:1 divider (a third of its voltage)
//
// Kept free for later: PB1, PB2 [D9, D10] (OC1A, OC1B) for servos, PB0, PB3..PB5,
// PC1 and the I2C pins PC4, PC5.
#pragma once

#include <avr/io.h>

#define LEFT_PWM_PIN PD5
#define LEFT_DIRECTION_PIN PD4
#define RIGHT_PWM_PIN PD6
#define RIGHT_DIRECTION_PIN PD7
#define MOTOR_PORT PORTD
#define MOTOR_DDR DDRD

#define LEFT_ENCODER_PINS PIND
#define LEFT_ENCODER_SHIFT PD2
#define RIGHT_ENCODER_PINS PINC
#define RIGHT_ENCODER_SHIFT PC2

#define BATTERY_ADC_CHANNEL 0
#define BATTERY_DIVIDER 3
#define ADC_REFERENCE_MV 5000
