// Servo pulses, 50 a second, made by TIM4 in hardware.

#include "hal.h"
#include "parts.h"
#include "pins.h"

#define TIMER_MHZ 84
#define PERIOD_US 20000

void servo_init(void)
{
    RCC->APB1ENR |= BIT(2);
    TIM4->PSC = TIMER_MHZ - 1;
    TIM4->ARR = PERIOD_US - 1;
    TIM4->CCMR1 = 0x6868; // PWM mode 1, taken up with the next period
    TIM4->CCMR2 = 0x0068;
    TIM4->CCER = BIT(0) | BIT(4) | BIT(8);
    TIM4->EGR = BIT(0);
    TIM4->CR1 = BIT(0) | BIT(7);
    for (uint8_t servo = 0; servo < SERVOS; servo++)
        pin_make_function(SERVO_PORT, FIRST_SERVO_PIN + servo, TIMER_FUNCTION);
}

void hal_servo_set(uint8_t servo, uint16_t pulse_us)
{
    TIM4->CCR[servo] = pulse_us;
}
