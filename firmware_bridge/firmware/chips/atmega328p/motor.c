// Both motors' PWM (Timer0, 7.8 kHz) and direction pins.

#include <stdlib.h>

#include "hal.h"
#include "parts.h"
#include "pins.h"

void motor_init(void)
{
    MOTOR_PORT &= ~(_BV(LEFT_PWM_PIN) | _BV(LEFT_DIRECTION_PIN) | _BV(RIGHT_PWM_PIN)
        | _BV(RIGHT_DIRECTION_PIN));
    MOTOR_DDR |= _BV(LEFT_PWM_PIN) | _BV(LEFT_DIRECTION_PIN) | _BV(RIGHT_PWM_PIN)
        | _BV(RIGHT_DIRECTION_PIN);
    TCCR0A = _BV(WGM01) | _BV(WGM00); // fast PWM, pins not connected yet
    TCCR0B = _BV(CS01);               // 16 MHz / 8 / 256
}

static void set_direction(uint8_t pin, int16_t duty)
{
    if (duty < 0)
        MOTOR_PORT |= _BV(pin);
    else
        MOTOR_PORT &= ~_BV(pin);
}

// Fast PWM at 0 still gives a pulse of one tick: disconnect the pin instead, which
// falls back to the port's low.
static void connect_pwm(uint8_t mode_bit, int16_t duty)
{
    if (duty)
        TCCR0A |= _BV(mode_bit);
    else
        TCCR0A &= ~_BV(mode_bit);
}

void hal_motor_set(enum wheel wheel, int16_t duty)
{
    if (wheel == LEFT) {
        set_direction(LEFT_DIRECTION_PIN, duty);
        OCR0B = abs(duty);
        connect_pwm(COM0B1, duty);
    } else {
        set_direction(RIGHT_DIRECTION_PIN, duty);
        OCR0A = abs(duty);
        connect_pwm(COM0A1, duty);
    }
}
