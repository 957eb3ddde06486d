#include "pins.h"

#include <stddef.h>
#include <string.h>

#include "avr_ioport.h"
#include "trace.h"
#include "vcd.h"

#define PORTS 3 // B, C, D
#define FIRST_PORT 'B'
#define PINS_PER_PORT 8

static avr_t *chip;

static struct port {
    uint8_t driven, value; // from outside
    uint8_t level;         // as last seen
    uint8_t watched;
} ports[PORTS];

static struct port *port_of(struct pin pin)
{
    return &ports[pin.port - FIRST_PORT];
}

static avr_irq_t *irq_of(struct pin pin)
{
    return avr_io_getirq(chip, AVR_IOCTL_IOPORT_GETIRQ(pin.port), pin.bit);
}

static bool is_behind_a_timer(struct pin pin)
{
    for (size_t i = 0; i < sizeof timer_pins / sizeof *timer_pins; i++)
        if (timer_pins[i].port == pin.port && timer_pins[i].bit == pin.bit)
            return true;
    return false;
}

void pin_note(struct pin pin, bool high)
{
    struct port *port = port_of(pin);
    if ((port->level >> pin.bit & 1) == high)
        return;
    port->level ^= 1 << pin.bit;
    vcd_change(pin, high);
    if (port->watched >> pin.bit & 1)
        trace_pin(&(struct pin_event){.cycle = chip->cycle, .pin = pin, .high = high});
}

static void on_change(avr_irq_t *irq, uint32_t value, void *param)
{
    struct port *port = param;
    struct pin pin = {FIRST_PORT + (port - ports), irq->irq};
    if (!is_behind_a_timer(pin))
        pin_note(pin, value & 1);
}

// simavr shows its pull-ups on every write to PORT, over a driven input. What is
// declared as an external pull is left alone.
static void declare(struct pin pin)
{
    avr_ioport_external_t external = {
        .name = pin.port, .mask = port_of(pin)->driven, .value = port_of(pin)->value};
    avr_ioctl(chip, AVR_IOCTL_IOPORT_SET_EXTERNAL(pin.port), &external);
}

void pin_drive(struct pin pin, bool high)
{
    struct port *port = port_of(pin);
    port->driven |= 1 << pin.bit;
    port->value = (port->value & ~(1 << pin.bit)) | high << pin.bit;
    declare(pin);
    avr_raise_irq(irq_of(pin), high);
}

// A reset clears the chip's picture of its pins, but simavr passes on only changes.
static avr_cycle_count_t on_pins_forgotten(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr;
    (void)when;
    (void)param;
    for (int i = 0; i < PORTS; i++)
        for (uint8_t bit = 0; bit < PINS_PER_PORT; bit++) {
            struct pin pin = {FIRST_PORT + i, bit};
            bool high = ports[i].value >> bit & 1;
            if (!(ports[i].driven >> bit & 1))
                continue;
            irq_of(pin)->value = !high;
            pin_drive(pin, high);
        }
    return 0;
}

void pins_on_reset(void)
{
    avr_cycle_timer_register(chip, 1, on_pins_forgotten, NULL);
}

void pins_init(avr_t *avr)
{
    chip = avr;
    for (int i = 0; i < PORTS; i++)
        for (uint8_t bit = 0; bit < PINS_PER_PORT; bit++)
            avr_irq_register_notify(
                irq_of((struct pin){FIRST_PORT + i, bit}), on_change, &ports[i]);
    pins_on_reset();
}

void pin_watch(struct pin pin)
{
    port_of(pin)->watched |= 1 << pin.bit;
}

bool pin_parse(const char *name, struct pin *pin)
{
    if (strlen(name) != 2 || !strchr("BCD", name[0]) || name[1] < '0' || name[1] > '7')
        return false;
    *pin = (struct pin){name[0], name[1] - '0'};
    return true;
}
