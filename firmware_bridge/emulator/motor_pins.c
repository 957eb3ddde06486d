#include "motor_pins.h"

#include <stdbool.h>
#include <stddef.h>

#include "avr_ioport.h"
#include "avr_timer.h"
#include "pins.h"
#include "timebase.h"
#include "trace.h"

// The slowest PWM that is still one: 2.5 periods of the board's 7.8 kHz.
#define MAX_PERIOD 5120
#define PWM_STEPS 256

static avr_t *chip;

static struct motor {
    int index;
    bool high;
    bool backward;
    avr_cycle_count_t period_start, rise, fall, last_edge, direction_edge;
    bool has_period; // `rise` and `fall` are one whole pulse
    int duty;
    // Signed cycles of drive up to `counted_to`, and where each reader stands.
    int64_t driven;
    avr_cycle_count_t counted_to;
    struct {
        int64_t driven;
        avr_cycle_count_t cycle;
    } read[READERS];
} motors[WHEELS];

static void report(struct motor *motor, int magnitude, avr_cycle_count_t since)
{
    int duty = motor->backward ? -magnitude : magnitude;
    if (duty == motor->duty)
        return;
    motor->duty = duty;
    // A new direction may have come in the middle of the pulse.
    avr_cycle_count_t cycle = since > motor->direction_edge ? since : motor->direction_edge;
    trace_motor(&(struct motor_event){
        .cycle = cycle,
        .wall_ns = timebase_wall_ns(cycle),
        .motor = motor->index,
        .duty = duty,
    });
}

static void count_drive(struct motor *motor)
{
    if (motor->high) {
        int64_t cycles = chip->cycle - motor->counted_to;
        motor->driven += motor->backward ? -cycles : cycles;
    }
    motor->counted_to = chip->cycle;
}

// Fast PWM at compare value n is high for n + 1 of 256 steps.
static int compare_value(avr_cycle_count_t high, avr_cycle_count_t period)
{
    int steps = (int)((high * PWM_STEPS + period / 2) / period);
    return steps > 0 ? steps - 1 : 0;
}

static void set_level(struct motor *motor, bool high)
{
    if (high == motor->high)
        return;
    count_drive(motor);
    motor->high = high;
    motor->last_edge = chip->cycle;
    pin_note(wheel_pins[motor->index].pwm, high);
    if (!high) {
        motor->fall = chip->cycle;
        motor->has_period = true;
        return;
    }
    avr_cycle_count_t period = chip->cycle - motor->rise;
    if (motor->has_period && period <= MAX_PERIOD)
        report(motor, compare_value(motor->fall - motor->rise, period), motor->rise);
    motor->rise = chip->cycle;
    motor->has_period = false;
}

static bool timer_drives(const struct motor *motor)
{
    return chip->data[REG_TCCR0A] & wheel_pins[motor->index].compare_mode_mask;
}

static unsigned cycles_per_step(void)
{
    static const unsigned prescalers[8] = {1, 1, 8, 64, 256, 1024, 1, 1};
    return prescalers[chip->data[REG_TCCR0B] & TCCR0B_CLOCK_SELECT];
}

static avr_cycle_count_t on_pulse_end(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr;
    (void)when;
    set_level(param, false);
    return 0;
}

// The timer's output in fast PWM. The chip takes a new compare value when a period
// starts; simavr takes it at once, with stray edges in the running period, and at the
// highest value it forgets to set the pin. So only the period's start is simavr's.
static void on_compare(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    struct motor *motor = param;
    unsigned step = cycles_per_step();
    uint8_t compare = chip->data[wheel_pins[motor->index].compare_register];
    bool always_high = compare == PWM_STEPS - 1;
    bool may_start = (value & 1) || always_high;
    if (!timer_drives(motor) || !may_start
        || chip->cycle - motor->period_start < step * PWM_STEPS * 3 / 4)
        return;
    motor->period_start = chip->cycle;
    set_level(motor, true);
    if (always_high)
        avr_cycle_timer_cancel(chip, on_pulse_end, motor);
    else
        avr_cycle_timer_register(chip, (compare + 1) * step, on_pulse_end, motor);
}

// The port behind the timer, which overrides it once connected; simavr mixes them.
static void on_pwm_pin(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    struct motor *motor = param;
    if (!timer_drives(motor))
        set_level(motor, value & 1);
}

// Disconnected from the timer, the pin shows PORT again; simavr leaves it.
static void on_compare_mode(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)value;
    struct motor *motor = param;
    if (timer_drives(motor))
        return;
    avr_cycle_timer_cancel(chip, on_pulse_end, motor);
    set_level(motor, chip->data[REG_PORTD] >> wheel_pins[motor->index].pwm.bit & 1);
}

static void on_direction_pin(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    struct motor *motor = param;
    bool backward = value & 1;
    if (backward == motor->backward)
        return;
    count_drive(motor);
    motor->backward = backward;
    motor->direction_edge = chip->cycle;
}

static void listen(const struct pin *pin, avr_irq_notify_t notify, struct motor *motor)
{
    avr_irq_t *irq = avr_io_getirq(chip, AVR_IOCTL_IOPORT_GETIRQ(pin->port), pin->bit);
    avr_irq_register_notify(irq, notify, motor);
}

void motor_pins_init(avr_t *avr)
{
    chip = avr;
    avr_irq_t *compare_mode = avr_iomem_getirq(avr, REG_TCCR0A, NULL, AVR_IOMEM_IRQ_ALL);
    for (int i = 0; i < WHEELS; i++) {
        motors[i].index = i;
        avr_irq_t *compare = avr_io_getirq(avr, AVR_IOCTL_TIMER_GETIRQ('0'),
            TIMER_IRQ_OUT_COMP + wheel_pins[i].comparator);
        avr_irq_register_notify(compare, on_compare, &motors[i]);
        listen(&wheel_pins[i].pwm, on_pwm_pin, &motors[i]);
        listen(&wheel_pins[i].direction, on_direction_pin, &motors[i]);
        avr_irq_register_notify(compare_mode, on_compare_mode, &motors[i]);
    }
}

void motor_pins_on_reset(void)
{
    // Pins float in reset; the drivers' pull-downs hold them low.
    for (int i = 0; i < WHEELS; i++)
        set_level(&motors[i], false);
}

void motor_pins_check_idle(void)
{
    for (int i = 0; i < WHEELS; i++) {
        struct motor *motor = &motors[i];
        if (chip->cycle - motor->last_edge <= MAX_PERIOD)
            continue;
        report(motor, motor->high ? PWM_STEPS - 1 : 0, motor->last_edge);
        motor->has_period = false;
    }
}

double motor_pins_take_mean(int index, enum drive_reader reader)
{
    struct motor *motor = &motors[index];
    count_drive(motor);
    int64_t driven = motor->driven - motor->read[reader].driven;
    int64_t cycles = motor->counted_to - motor->read[reader].cycle;
    motor->read[reader].driven = motor->driven;
    motor->read[reader].cycle = motor->counted_to;
    return cycles ? (double)driven / (double)cycles : 0;
}

int motor_pins_duty(int index)
{
    return motors[index].duty;
}

avr_cycle_count_t motor_pins_last_edge(int index)
{
    return motors[index].last_edge;
}
