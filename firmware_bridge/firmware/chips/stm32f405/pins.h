// The whole pin map.
//
//   PA9, PA10        serial line to the host: USART1 TX, RX
//   PA6, PA7    PWM  left and right motor: TIM3 channels 1, 2
//   PA4, PA5         direction of the left and right motor; high is backward
//   PB6, PB7, PB8    pan, tilt and gripper servo: TIM4 channels 1, 2, 3
//   PB12..PB14       light: red, green, blue; high is on
#pragma once

#include "registers.h"

#define UART_PORT GPIOA
#define UART_TX_PIN 9
#define UART_RX_PIN 10
#define UART_FUNCTION 7

#define MOTOR_PORT GPIOA
#define LEFT_PWM_PIN 6
#define RIGHT_PWM_PIN 7
#define LEFT_DIRECTION_PIN 4
#define RIGHT_DIRECTION_PIN 5

#define SERVO_PORT GPIOB
#define FIRST_SERVO_PIN 6

#define TIMER_FUNCTION 2 // of TIM3 and TIM4

#define LIGHT_PORT GPIOB
#define LIGHT_SHIFT 12

static inline void pin_make_output(struct gpio *port, uint8_t pin)
{
    port->MODER = (port->MODER & ~(3UL << pin * 2)) | 1UL << pin * 2;
}

// Gives the pin to a peripheral.
static inline void pin_make_function(struct gpio *port, uint8_t pin, uint8_t function)
{
    REGISTER *select = &port->AFR[pin / 8];
    uint8_t shift = pin % 8 * 4;
    *select = (*select & ~(15UL << shift)) | (uint32_t)function << shift;
    port->MODER = (port->MODER & ~(3UL << pin * 2)) | 2UL << pin * 2;
}

static inline void pins_set(struct gpio *port, uint32_t mask, uint32_t high)
{
    port->BSRR = mask << 16 | (mask & high); // A pin in both halves is set.
}
