#include "hal.h"

#include <avr/interrupt.h>
#include <avr/sleep.h>

#include "clock.h"
#include "parts.h"
#include "uart.h"

void hal_init(void)
{
    motor_init();
    light_init();
    clock_init();
    encoder_init();
    servo_init();
    switch_init();
    uart_init();
    battery_init();
    set_sleep_mode(SLEEP_MODE_IDLE);
    sei();
}

void hal_sleep(void)
{
    cli();
    if (!uart_is_readable()) {
        sleep_enable();
        sei(); // Takes effect after the next instruction: no interrupt slips between.
        sleep_cpu();
        sleep_disable();
    }
    sei();
}
