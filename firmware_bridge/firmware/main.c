// The rover's board: ATmega328P at 16 MHz. The main loop does everything but take
// bytes and encoder edges, which interrupts put aside for it.

#include <avr/interrupt.h>
#include <avr/sleep.h>

#include "battery.h"
#include "clock.h"
#include "drive.h"
#include "reset.h"
#include "session.h"
#include "uart.h"

static void sleep_until_interrupt(void)
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

int main(void)
{
    drive_init(); // First of all: the motor pins must not float.
    clock_init();
    uart_init();
    battery_init();
    set_sleep_mode(SLEEP_MODE_IDLE);
    watchdog_start();
    sei();

    uint32_t next_control_ms = CONTROL_PERIOD_MS;
    for (;;) {
        session_serve();
        drive_check_host();
        if ((int32_t)(clock_ms() - next_control_ms) >= 0) {
            next_control_ms += CONTROL_PERIOD_MS;
            drive_step();
            session_send_state(battery_step());
            // Only here: both the main loop and the clock must be alive.
            watchdog_kick();
        }
        sleep_until_interrupt();
    }
}
