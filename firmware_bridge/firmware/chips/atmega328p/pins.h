// The whole pin map. Arduino Uno/Nano names in brackets.
//
//   PD0, PD1 [D0, D1]   serial line to the host
//   PD5 [D5]  PWM       left motor, OC0B     } the pins of the common "E1 M1 E2 M2"
//   PD4 [D4]  direction left motor           } motor shields; direction high is
//   PD6 [D6]  PWM       right motor, OC0A    } backward
//   PD7 [D7]  direction right motor          }
//   PD2, PD3 [D2, D3]   left encoder A, B    (pin change group 2)
//   PC2, PC3 [A2, A3]   right encoder A, B   (pin change group 1)
//   PB1 [D9]            pan servo, OC1A
//   PB2 [D10]           tilt servo, OC1B
//   PC1 [A1]            gripper servo
//   PB3..PB5 [D11..D13] light: red, green, blue; high is on
//   PB0 [D8]            range sensor, ICP1: question and echo on one wire
//   PC4 [A4]            bump switch to ground; low is pressed
//   PC5 [A5]            emergency stop, normally closed to ground; high is stop, so that
//                       a broken wire stops too
//   PC0 [A0]            battery through a 2:1 divider (a third of its voltage)
#pragma once

#include <avr/io.h>

#define UART_RX_PIN PD0
#define UART_PORT PORTD

#define LEFT_PWM_PIN PD5
#define LEFT_DIRECTION_PIN PD4
#define RIGHT_PWM_PIN PD6
#define RIGHT_DIRECTION_PIN PD7
#define MOTOR_PORT PORTD
#define MOTOR_DDR DDRD

#define LEFT_ENCODER_PINS PIND
#define LEFT_ENCODER_PORT PORTD
#define LEFT_ENCODER_SHIFT PD2
#define RIGHT_ENCODER_PINS PINC
#define RIGHT_ENCODER_PORT PORTC
#define RIGHT_ENCODER_SHIFT PC2

#define PAN_PIN PB1
#define TILT_PIN PB2
#define PAN_TILT_DDR DDRB
#define GRIPPER_PIN PC1
#define GRIPPER_PORT PORTC
#define GRIPPER_DDR DDRC

#define LIGHT_SHIFT PB3
#define LIGHT_PORT PORTB
#define LIGHT_DDR DDRB

#define RANGE_PIN PB0
#define RANGE_PINS PINB
#define RANGE_PORT PORTB
#define RANGE_DDR DDRB

#define BUMP_PIN PC4
#define EMERGENCY_STOP_PIN PC5
#define SWITCH_PINS PINC
#define SWITCH_PORT PORTC

#define BATTERY_ADC_CHANNEL 0
