#include "range_sensor.h"

#include <stddef.h>

#include "avr_ioport.h"
#include "pins.h"

#define CYCLES_PER_US (CPU_HZ / 1000000)
#define SHORTEST_QUESTION (10 * CYCLES_PER_US)
// An HC-SR04 sends 8 periods of 40 kHz first and then some.
#define ANSWERS_AFTER (450 * CYCLES_PER_US)
// There and back at 343 m/s: 5.831 us a millimetre.
#define CYCLES_PER_MM (2e-3 / 343 * CPU_HZ)

static avr_t *chip;
static unsigned distance_mm;
static unsigned long questions;
static bool answering;
static avr_cycle_count_t rise;

static avr_cycle_count_t on_echo_end(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr;
    (void)when;
    (void)param;
    pin_drive(range_pin, false);
    answering = false;
    return 0;
}

static avr_cycle_count_t on_echo(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)when;
    (void)param;
    answering = true;
    pin_drive(range_pin, true);
    avr_cycle_timer_register(
        avr, (avr_cycle_count_t)(distance_mm * CYCLES_PER_MM), on_echo_end, NULL);
    return 0;
}

static void on_level(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)param;
    bool asked = chip->data[REG_DDRB] >> range_pin.bit & 1;
    if (answering || !asked)
        return;
    if (value & 1) {
        rise = chip->cycle;
    } else if (chip->cycle - rise >= SHORTEST_QUESTION) {
        questions++;
        if (distance_mm)
            avr_cycle_timer_register(chip, ANSWERS_AFTER, on_echo, NULL);
    }
}

void range_sensor_init(avr_t *avr)
{
    chip = avr;
    pin_drive(range_pin, false);
    avr_irq_register_notify(
        avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(range_pin.port), range_pin.bit), on_level, NULL);
}

void range_sensor_on_reset(void)
{
    // avr_reset() drops the cycle timers of a running echo.
    if (answering)
        on_echo_end(chip, chip->cycle, NULL);
}

void range_sensor_set(unsigned mm)
{
    distance_mm = mm;
}

unsigned long range_sensor_questions(void)
{
    return questions;
}
