// The emulated rover board as its wiring diagram has it. Written apart from the
// firmware's pins.h on purpose: a wrong pin there must show here.
//
// This program links libsimavr, which is GPL-3: the built binary is a separate
// test-time tool under the GPL-3 and is neither linked into nor shipped with the
// Python package. These sources themselves are Apache-2.0.
#pragma once

#include <stdint.h>

#include "avr_timer.h"
#include "sim_avr.h"

#define CPU_HZ 16000000
#define CYCLES_PER_MS (CPU_HZ / 1000)

enum { LEFT, RIGHT, WHEELS };

struct pin {
    char port;
    uint8_t bit;
};

__attribute__((unused)) static const struct wheel_pins {
    struct pin pwm, direction, encoder_a, encoder_b;
    uint8_t comparator;        // of Timer0, behind the PWM pin: A is 0, B is 1
    uint16_t compare_register;
    uint8_t compare_mode_mask; // in TCCR0A: the comparator drives the pin
} wheel_pins[WHEELS] = {
    [LEFT] = {{'D', 5}, {'D', 4}, {'D', 2}, {'D', 3}, AVR_TIMER_COMPB, 0x48, 0x30},
    [RIGHT] = {{'D', 6}, {'D', 7}, {'C', 2}, {'C', 3}, AVR_TIMER_COMPA, 0x47, 0xC0},
};

enum { PAN, TILT, GRIPPER, SERVOS };

__attribute__((unused)) static const struct servo_pin {
    struct pin pin;
    int comparator; // of Timer1, behind the pin; -1: a plain pin
    uint8_t compare_mode_shift; // in TCCR1A
} servo_pins[SERVOS] = {
    [PAN] = {{'B', 1}, AVR_TIMER_COMPA, 6},
    [TILT] = {{'B', 2}, AVR_TIMER_COMPB, 4},
    [GRIPPER] = {{'C', 1}, -1, 0},
};

// Where simavr's port does not have the true level.
__attribute__((unused)) static const struct pin timer_pins[] = {{'D', 5}, {'D', 6}, {'B', 1}, {'B', 2}};

__attribute__((unused)) static const struct pin range_pin = {'B', 0};
__attribute__((unused)) static const struct pin bump_pin = {'C', 4};           // pulled up; the switch grounds it
__attribute__((unused)) static const struct pin emergency_stop_pin = {'C', 5}; // grounded until it is opened
#define LIGHT_SHIFT 3                                  // red, green, blue on PB3..PB5

// ATmega328P data addresses.
#define REG_DDRB 0x24
#define REG_PORTB 0x25
#define REG_PORTD 0x2B
#define REG_TCCR0A 0x44
#define REG_TCCR0B 0x45
#define TCCR0B_CLOCK_SELECT 0x07
#define REG_TCCR1A 0x80
#define REG_UCSR0A 0xC0
#define REG_UCSR0B 0xC1
#define REG_UBRR0L 0xC4
#define REG_UBRR0H 0xC5
#define REG_UDR0 0xC6
#define UCSR0A_U2X0 0x02
#define UCSR0B_RXEN0 0x10

#define BATTERY_ADC_CHANNEL 0
#define BATTERY_DIVIDER 3
