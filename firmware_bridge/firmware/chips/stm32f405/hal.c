#include "hal.h"

#include "core.h"
#include "parts.h"
#include "registers.h"

void hal_init(void)
{
    RCC->AHB1ENR |= BIT(0) | BIT(1); // ports A and B
    motor_init();
    light_init();
    clock_init();
    servo_init();
    uart_init();
    core_enable_interrupts();
}

void hal_sleep(void)
{
    core_disable_interrupts();
    if (!uart_is_readable())
        core_wait_for_interrupt();
    core_enable_interrupts();
}
