#include "wheel.h"

#include <math.h>
#include <stddef.h>

#include "motor_pins.h"
#include "pins.h"

static avr_t *chip;
static struct wheel_parameters model;
static double decay_per_ms;
static bool model_is_on = true;

static struct wheel {
    int index;
    double position; // counts, at `cycle`
    double speed;    // counts/s
    avr_cycle_count_t cycle;
    long count; // the encoder's: changes by one an edge
    unsigned unplugged;
    bool jammed, swapped;
} wheels[WHEELS];

static void set_encoder_pins(struct wheel *wheel)
{
    static const uint8_t gray[4] = {0, 1, 3, 2}; // forward: A leads
    const struct wheel_pins *pins = &wheel_pins[wheel->index];
    uint8_t phase = gray[wheel->count & 3];
    // The encoder's outputs are open collectors: unplugged, they are pulled up.
    pin_drive(pins->encoder_a, phase & 1 || wheel->unplugged & CHANNEL_A);
    pin_drive(pins->encoder_b, phase >> 1 || wheel->unplugged & CHANNEL_B);
}

// The cycle of the next edge; 0 where the wheel stands.
static avr_cycle_count_t next_edge(const struct wheel *wheel)
{
    if (fabs(wheel->speed) < 1e-3)
        return 0;
    double distance = wheel->speed > 0 ? wheel->count + 1 - wheel->position
                                       : wheel->position - wheel->count;
    double cycles = ceil(distance / fabs(wheel->speed) * CPU_HZ);
    return wheel->cycle + (avr_cycle_count_t)(cycles < 1 ? 1 : cycles);
}

static void advance(struct wheel *wheel, avr_cycle_count_t to)
{
    wheel->position += wheel->speed * (double)(to - wheel->cycle) / CPU_HZ;
    wheel->cycle = to;
}

static avr_cycle_count_t on_edge(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr;
    struct wheel *wheel = param;
    advance(wheel, when);
    wheel->count += wheel->speed > 0 ? 1 : -1;
    set_encoder_pins(wheel);
    return next_edge(wheel);
}

static void change_speed(struct wheel *wheel, double speed)
{
    advance(wheel, chip->cycle);
    wheel->speed = speed;
    avr_cycle_count_t edge = next_edge(wheel);
    if (!edge)
        avr_cycle_timer_cancel(chip, on_edge, wheel);
    else
        avr_cycle_timer_register(
            chip, edge > chip->cycle ? edge - chip->cycle : 1, on_edge, wheel);
}

// First order: the speed goes to drive * gain with the time constant. Friction takes
// off its share of the drive against the motion, and holds a standing wheel.
static double model_speed(double speed, double drive)
{
    double gain = model.no_load_speed / (1 - model.friction);
    bool standing = fabs(speed) < model.no_load_speed * 1e-3;
    if (standing && fabs(drive) <= model.friction)
        return 0;
    double friction = copysign(model.friction, standing ? drive : speed);
    double target = (drive - friction) * gain;
    double next = target + (speed - target) * decay_per_ms;
    // Friction stops a wheel; it does not turn it round.
    bool turned = next * speed < 0 && fabs(drive) <= model.friction;
    return turned ? 0 : next;
}

double wheel_take_drive(int wheel, enum drive_reader reader)
{
    double drive = motor_pins_take_mean(wheel, reader);
    return wheels[wheel].swapped ? -drive : drive;
}

static avr_cycle_count_t on_millisecond(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr;
    (void)param;
    motor_pins_check_idle();
    for (int i = 0; i < WHEELS && model_is_on; i++) {
        double drive = wheel_take_drive(i, READER_WHEEL);
        change_speed(&wheels[i], wheels[i].jammed ? 0 : model_speed(wheels[i].speed, drive));
    }
    return when + CYCLES_PER_MS;
}

void wheel_init(avr_t *avr, const struct wheel_parameters *parameters)
{
    chip = avr;
    model = *parameters;
    decay_per_ms = exp(-1e-3 / model.time_constant);
    for (int i = 0; i < WHEELS; i++) {
        wheels[i].index = i;
        set_encoder_pins(&wheels[i]);
    }
    wheel_on_reset();
}

void wheel_on_reset(void)
{
    // avr_reset() drops every cycle timer; the wheels roll on.
    avr_cycle_timer_register(chip, CYCLES_PER_MS, on_millisecond, NULL);
    for (int i = 0; i < WHEELS; i++)
        change_speed(&wheels[i], wheels[i].speed);
}

void wheel_use_model(bool on)
{
    model_is_on = on;
}

void wheel_set_speed(int wheel, double counts_per_second)
{
    change_speed(&wheels[wheel], counts_per_second);
}

double wheel_speed(int wheel)
{
    return wheels[wheel].speed;
}

double wheel_position(int wheel)
{
    advance(&wheels[wheel], chip->cycle);
    return wheels[wheel].position;
}

long wheel_count(int wheel)
{
    return wheels[wheel].count;
}

void wheel_unplug(int wheel, unsigned channels)
{
    wheels[wheel].unplugged = channels;
    set_encoder_pins(&wheels[wheel]);
}

void wheel_jam(int wheel, bool jammed)
{
    wheels[wheel].jammed = jammed;
}

void wheel_swap_motor(int wheel, bool swapped)
{
    wheels[wheel].swapped = swapped;
}
