// The whole control logic over a chip that is this machine. In: the non-volatile bytes,
// then orders of a letter and its bytes:
//
//   L n BYTES    the line says n bytes
//   W ms         time passes, with the main loop running
//   B v  E v     bump switch, emergency-stop input
//   V v          battery reading, 1/256 of full scale
//   M left right the wheels turn by so many counts (signed)
//
// Out: what the chip says on the line. It aborts where a rule is broken that holds
// whatever the host says.

#include <stdio.h>
#include <stdlib.h>

#include "app.h"
#include "faults.h"
#include "hal.h"
#include "reflexarc_bp.h"
#include "settings.h"

#define STEP_US 100
#define SENT_IN_STEP 5 // bytes at 500 kbaud
#define SEND_BUFFER 127
#define MAX_FRAME (2 + 2 + MAX_PAYLOAD + 2)
#define LATEST_STOP_US ((HOST_TIMEOUT_MS + 10) * 1000)
#define KNOWN_STOP_US 20000

static struct {
    uint32_t us;
    uint8_t rx[UINT8_MAX];
    size_t rx_at, rx_end;
    uint8_t waiting; // to be sent
    bool greeted;
    int16_t duty[WHEELS];
    struct hal_encoder encoders[WHEELS];
    bool bump, emergency_stop;
    uint16_t battery;
    uint8_t nonvolatile[CHIP_NONVOLATILE_SIZE];
    uint32_t nonvolatile_ready_us;
    uint32_t ordered_us; // when the last set point was answered
    uint8_t said[MAX_FRAME]; // of the frame that is being sent
    uint8_t said_length;
    uint32_t closed_us; // when the emergency stop was last closed, or not fitted
} chip = {.battery = 0xC000};

static void require(bool rule, const char *words)
{
    if (rule)
        return;
    fprintf(stderr, "broken rule: %s\n", words);
    abort();
}

uint32_t hal_us(void)
{
    return chip.us;
}

uint8_t hal_reset_cause(void)
{
    return RESET_POWER_ON;
}

uint16_t hal_boots(void)
{
    return 1;
}

void hal_watchdog_start(void)
{
}

void hal_watchdog_kick(void)
{
}

bool hal_uart_read(uint8_t *byte)
{
    if (chip.rx_at == chip.rx_end)
        return false;
    *byte = chip.rx[chip.rx_at++];
    return true;
}

uint8_t hal_uart_free(void)
{
    return SEND_BUFFER - chip.waiting;
}

static void take_said(uint8_t byte)
{
    require(chip.said_length < MAX_FRAME, "no frame longer than the longest");
    chip.said[chip.said_length++] = byte;
    if (byte)
        return;
    uint8_t type = chip.said[1]; // Never 0: COBS leaves it.
    chip.said_length = 0;
    if (type == MESSAGE_TYPE_HELLO_REPLY)
        chip.greeted = true;
    if (type == MESSAGE_TYPE_DRIVE_REPLY)
        chip.ordered_us = chip.us;
}

void hal_uart_write(const uint8_t *data, uint8_t length)
{
    require(length <= hal_uart_free(), "nothing is said that has no room");
    chip.waiting += length;
    for (uint8_t i = 0; i < length; i++)
        take_said(data[i]);
    fwrite(data, 1, length, stdout);
}

uint8_t hal_uart_errors(void)
{
    return 0;
}

void hal_motor_set(enum wheel wheel, int16_t duty)
{
    require(wheel == LEFT || wheel == RIGHT, "a wheel that there is");
    require(abs(duty) <= MAX_DUTY, "no duty beyond the highest");
    chip.duty[wheel] = duty;
}

struct hal_encoder hal_encoder_read(enum wheel wheel)
{
    return chip.encoders[wheel];
}

void hal_servo_set(uint8_t servo, uint16_t pulse_us)
{
    require(servo < SERVOS, "a servo that there is");
    require(!pulse_us || (pulse_us >= 500 && pulse_us <= 2500), "no pulse that harms a servo");
}

void hal_light_set(uint8_t color)
{
    require(color <= (LIGHT_RED | LIGHT_GREEN | LIGHT_BLUE), "a colour that there is");
}

void hal_range_trigger(void)
{
}

bool hal_range_read(uint16_t *echo_us)
{
    *echo_us = chip.us;
    return chip.us & 1024;
}

bool hal_bump_is_pressed(void)
{
    return chip.bump;
}

bool hal_emergency_stop_is_open(void)
{
    return chip.emergency_stop;
}

void hal_battery_start(void)
{
}

uint16_t hal_battery_read(void)
{
    return chip.battery;
}

uint8_t hal_nonvolatile_read(uint8_t address)
{
    require(address < CHIP_NONVOLATILE_SIZE, "a byte that there is");
    return chip.nonvolatile[address];
}

void hal_nonvolatile_write(uint8_t address, uint8_t byte)
{
    require(address < CHIP_NONVOLATILE_SIZE, "a byte that there is");
    require(!hal_nonvolatile_is_busy(), "no write while busy");
    chip.nonvolatile[address] = byte;
    chip.nonvolatile_ready_us = chip.us + 3400;
}

bool hal_nonvolatile_is_busy(void)
{
    return (int32_t)(chip.us - chip.nonvolatile_ready_us) < 0;
}

bool hal_stack_is_intact(void)
{
    return true;
}

uint16_t hal_stack_free(void)
{
    return 100;
}

void hal_stack_restart(void)
{
    abort();
}

static void check_rules(void)
{
    bool off = !chip.duty[LEFT] && !chip.duty[RIGHT];
    if (!chip.emergency_stop || !settings_has(SETTING_EMERGENCY_STOP_FITTED))
        chip.closed_us = chip.us;
    require(off || chip.greeted, "nothing is driven without a greeting");
    require(off || chip.us - chip.ordered_us <= LATEST_STOP_US, "no set point stops the motors");
    require(off || chip.us - chip.closed_us <= KNOWN_STOP_US, "emergency stop stops the motors");
    require(off || !faults_latched(), "no motor turns with a fault latched");
}

static void step(void)
{
    chip.us += STEP_US;
    chip.waiting -= chip.waiting < SENT_IN_STEP ? chip.waiting : SENT_IN_STEP;
    app_run();
    check_rules();
}

static uint8_t take(void)
{
    int byte = getchar();
    return byte == EOF ? 0 : byte;
}

static void hear(uint8_t length)
{
    chip.rx_at = 0;
    chip.rx_end = fread(chip.rx, 1, length, stdin);
    while (chip.rx_at < chip.rx_end)
        step();
}

static void turn(enum wheel wheel, int8_t counts)
{
    chip.encoders[wheel].count += counts;
    chip.encoders[wheel].edges += abs(counts);
    chip.encoders[wheel].edge_us = chip.us;
}

int main(void)
{
    if (fread(chip.nonvolatile, 1, sizeof chip.nonvolatile, stdin) != sizeof chip.nonvolatile)
        return 1;
    app_init();
    for (int order; (order = getchar()) != EOF;) {
        switch (order) {
        case 'L':
            hear(take());
            break;
        case 'W':
            for (uint32_t end = chip.us + take() * 1000; chip.us < end;)
                step();
            break;
        case 'B':
            chip.bump = take();
            break;
        case 'E':
            chip.emergency_stop = take();
            break;
        case 'V':
            chip.battery = take() << 8;
            break;
        case 'M':
            turn(LEFT, take());
            turn(RIGHT, take());
            break;
        default:
            return 1;
        }
    }
    return 0;
}
