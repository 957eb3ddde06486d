// Both motors: PWM of 20.6 kHz from TIM3, and direction pins.

#include <stdlib.h>

#include "hal.h"
#include "parts.h"
#include "pins.h"

#define PRESCALER 16 // of 84 MHz

void motor_init(void)
{
    // The pins' pull-downs are the driver's: until here they have floated.
    pins_set(MOTOR_PORT, BIT(LEFT_DIRECTION_PIN) | BIT(RIGHT_DIRECTION_PIN), 0);
    pin_make_output(MOTOR_PORT, LEFT_DIRECTION_PIN);
    pin_make_output(MOTOR_PORT, RIGHT_DIRECTION_PIN);
    RCC->APB1ENR |= BIT(1);
    TIM3->PSC = PRESCALER - 1;
    TIM3->ARR = MAX_DUTY - 1;  // So that MAX_DUTY is always on.
    TIM3->CCMR1 = 0x6868;      // both channels: PWM mode 1, taken up with the next period
    TIM3->CCER = BIT(0) | BIT(4);
    TIM3->EGR = BIT(0);
    TIM3->CR1 = BIT(0) | BIT(7);
    pin_make_function(MOTOR_PORT, LEFT_PWM_PIN, TIMER_FUNCTION);
    pin_make_function(MOTOR_PORT, RIGHT_PWM_PIN, TIMER_FUNCTION);
}

void hal_motor_set(enum wheel wheel, int16_t duty)
{
    uint8_t direction = wheel == LEFT ? LEFT_DIRECTION_PIN : RIGHT_DIRECTION_PIN;
    pins_set(MOTOR_PORT, BIT(direction), duty < 0 ? BIT(direction) : 0);
    TIM3->CCR[wheel] = abs(duty);
}
