#include "servo_pins.h"

#include <stdbool.h>
#include <stddef.h>

#include "avr_ioport.h"
#include "avr_timer.h"
#include "pins.h"

#define LONGEST_PERIOD (25 * CYCLES_PER_MS)
#define CYCLES_PER_US (CPU_HZ / 1e6)

static avr_t *chip;

static struct servo {
    struct pin pin;
    bool high;
    avr_cycle_count_t rise, fall, width;
} servos[SERVOS];

static void set_level(struct servo *servo, bool high)
{
    if (high == servo->high)
        return;
    servo->high = high;
    if (high) {
        servo->rise = chip->cycle;
    } else {
        servo->fall = chip->cycle;
        servo->width = chip->cycle - servo->rise;
    }
    pin_note(servo->pin, high);
}

static void on_pin(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    set_level(param, value & 1);
}

// Of pan and tilt the port has no true level in simavr: a write to PORT shows through.
// The comparator has, but when the timer wraps or a compare value is written it also
// gives edges that only PWM would have. A true one does what the mode says.
static void on_match(avr_irq_t *irq, uint32_t value, void *param)
{
    enum { CLEAR = 2, SET = 3 };
    (void)irq;
    struct servo *servo = param;
    uint8_t mode = chip->data[REG_TCCR1A] >> servo_pins[servo - servos].compare_mode_shift & 3;
    if (mode == (value & 1 ? SET : CLEAR))
        set_level(servo, value & 1);
}

void servo_pins_init(avr_t *avr)
{
    chip = avr;
    for (int i = 0; i < SERVOS; i++) {
        struct pin pin = servo_pins[i].pin;
        int comparator = servo_pins[i].comparator;
        servos[i].pin = pin;
        if (comparator < 0)
            avr_irq_register_notify(
                avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(pin.port), pin.bit), on_pin, &servos[i]);
        else
            avr_irq_register_notify(
                avr_io_getirq(avr, AVR_IOCTL_TIMER_GETIRQ('1'), TIMER_IRQ_OUT_COMP + comparator),
                on_match, &servos[i]);
    }
}

void servo_pins_on_reset(void)
{
    for (int i = 0; i < SERVOS; i++)
        set_level(&servos[i], false);
}

double servo_pins_width_us(int servo)
{
    bool is_old = chip->cycle - servos[servo].fall > LONGEST_PERIOD;
    return is_old ? 0 : servos[servo].width / CYCLES_PER_US;
}
