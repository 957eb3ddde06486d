// reflexarc-emulator: the rover board's firmware on an emulated ATmega328P, with its
// serial line on a pty, wheels on its motor pins, and a control socket.

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "chip.h"
#include "control.h"
#include "eeprom.h"
#include "latency.h"
#include "lock_step.h"
#include "motor_pins.h"
#include "pins.h"
#include "range_sensor.h"
#include "serial.h"
#include "servo_pins.h"
#include "timebase.h"
#include "vcd.h"
#include "wheel.h"

// The host's bytes are taken up between slices, so a slice is what the emulation may
// add to a latency.
#define SLICE_US 20
// In lock-step, where a body and often a camera share the machine: a fifth of the sleeps.
#define LED_SLICE_US 100
#define CONTROL_US 1000
// While it is held, how often it looks whether its parent still lives.
#define HELD_LOOK_MS 200
#define TIMER_SLACK_NS 1000

struct options {
    const char *firmware, *link, *control, *eeprom, *vcd;
    double speed;
    unsigned battery_mv;
    pid_t parent;
    struct wheel_parameters wheel;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    (void)signal;
    interrupted = 1;
}

static void on_reset(void)
{
    pins_on_reset();
    serial_on_reset();
    motor_pins_on_reset();
    servo_pins_on_reset();
    range_sensor_on_reset();
    wheel_on_reset();
}

static struct options parse(int count, char **arguments)
{
    static const struct option known[] = {
        {"firmware", required_argument, NULL, 'f'}, {"link", required_argument, NULL, 'l'},
        {"control", required_argument, NULL, 'c'},  {"speed", required_argument, NULL, 's'},
        {"battery-mv", required_argument, NULL, 'b'},
        {"parent", required_argument, NULL, 'p'},   {"no-load-speed", required_argument, NULL, 'n'},
        {"time-constant", required_argument, NULL, 't'},
        {"friction", required_argument, NULL, 'r'}, {"eeprom", required_argument, NULL, 'e'},
        {"vcd", required_argument, NULL, 'v'}, {0},
    };
    struct options options = {
        .speed = 1,
        .battery_mv = 7400,
        .wheel = {.no_load_speed = 5500, .time_constant = 0.06, .friction = 0.03},
    };
    for (int option; (option = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        switch (option) {
        case 'f': options.firmware = optarg; break;
        case 'l': options.link = optarg; break;
        case 'c': options.control = optarg; break;
        case 's': options.speed = atof(optarg); break;
        case 'b': options.battery_mv = atoi(optarg); break;
        case 'p': options.parent = atoi(optarg); break;
        case 'n': options.wheel.no_load_speed = atof(optarg); break;
        case 't': options.wheel.time_constant = atof(optarg); break;
        case 'r': options.wheel.friction = atof(optarg); break;
        case 'e': options.eeprom = optarg; break;
        case 'v': options.vcd = optarg; break;
        default: exit(2);
        }
    }
    if (!options.firmware || !options.link || !options.control) {
        fprintf(stderr, "usage: %s --firmware ELF --link PATH --control PATH [--speed X]"
                        " [--parent PID] [--battery-mv X] [--no-load-speed X]"
                        " [--time-constant X] [--friction X] [--eeprom FILE] [--vcd FILE]\n", arguments[0]);
        exit(2);
    }
    return options;
}

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "%s %s: %s\n", what, path, errno ? strerror(errno) : "not usable");
    exit(1);
}

// PR_SET_PDEATHSIG would do, but it also fires when only the thread that started us
// ends.
static bool is_orphan(const struct options *options)
{
    return options->parent && getppid() != options->parent;
}

static void run(const struct options *options)
{
    unsigned uncontrolled_us = CONTROL_US;
    while (!interrupted && !control_is_done()) {
        if (lock_step_is_held()) {
            control_wait(HELD_LOOK_MS);
            control_serve();
            if (is_orphan(options))
                break;
            continue;
        }
        serial_read_host();
        if (uncontrolled_us >= CONTROL_US) {
            uncontrolled_us = 0;
            control_serve();
            eeprom_save();
            if (is_orphan(options))
                break;
        }
        unsigned slice_us = lock_step_is_led() ? LED_SLICE_US : SLICE_US;
        uncontrolled_us += slice_us;
        if (!chip_run(lock_step_allows(slice_us * (CPU_HZ / 1000000)))) {
            fprintf(stderr, "the chip has stopped: crashed, or asleep with interrupts off\n");
            break;
        }
        timebase_wait();
        // Only now is the slice over for the world outside.
        serial_write_host();
        if (lock_step_is_held())
            control_end_step();
    }
}

int main(int count, char **arguments)
{
    struct options options = parse(count, arguments);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);

    errno = 0;
    avr_t *avr = chip_create(options.firmware);
    if (!avr)
        fail("firmware", options.firmware);
    if (options.eeprom && !eeprom_init(avr, options.eeprom))
        fail("EEPROM file", options.eeprom);
    if (options.vcd && !vcd_open(avr, options.vcd))
        fail("VCD file", options.vcd);
    pins_init(avr);
    pin_drive(bump_pin, true);
    pin_drive(emergency_stop_pin, false);
    latency_init(avr);
    motor_pins_init(avr);
    servo_pins_init(avr);
    range_sensor_init(avr);
    wheel_init(avr, &options.wheel);
    if (!serial_init(avr, options.link))
        fail("pty link", options.link);
    if (!control_init(avr, options.control))
        fail("control socket", options.control);
    chip_on_reset(on_reset);
    chip_set_battery(options.battery_mv);
    timebase_init(avr, options.speed);
    lock_step_init(avr);
    printf("ready\n");
    fflush(stdout);

    run(&options);

    control_close();
    serial_close();
    eeprom_save();
    vcd_close();
    if (is_orphan(&options)) {
        char path[strlen(options.control) + 1];
        rmdir(dirname(strcpy(path, options.control)));
    }
    return 0;
}
