#define _GNU_SOURCE
#include "control.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cable.h"
#include "chip.h"
#include "latency.h"
#include "lock_step.h"
#include "motor_pins.h"
#include "pins.h"
#include "range_sensor.h"
#include "serial.h"
#include "servo_pins.h"
#include "timebase.h"
#include "trace.h"
#include "wheel.h"

#define MAX_CLIENTS 4
// Room for 16 kB to inject.
#define LINE_SIZE 33000
// A page fits the socket's buffer: the emulation never waits for a slow reader.
#define EVENTS_PER_PAGE 200
#define REPLY_SIZE (EVENTS_PER_PAGE * 200)

static avr_t *chip;
static int listener = -1;
static char path[sizeof((struct sockaddr_un *)0)->sun_path];
static bool done;

static struct client {
    int fd;
    char line[LINE_SIZE];
    size_t length;
} clients[MAX_CLIENTS];

// Who waits for the end of a step; NULL: nobody, or it has gone.
static struct client *leader;

static char reply[REPLY_SIZE];
static size_t reply_length;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    reply_length += vsnprintf(
        reply + reply_length, sizeof reply - reply_length, format, arguments);
    va_end(arguments);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void say_status(void)
{
    const struct serial_statistics *serial = serial_statistics();
    const struct cable_statistics *cable = cable_statistics();
    motor_pins_check_idle();
    say("{\"cycle\":%" PRIu64 ",\"wall_ns\":%" PRId64 ",\"cpu_s\":%.6f", chip->cycle,
        timebase_wall_ns(chip->cycle), cpu_seconds());
    say(",\"alive\":%s,\"resets\":%lu,\"plugged\":%s", chip_is_alive() ? "true" : "false",
        chip_resets(), serial_is_plugged() ? "true" : "false");
    say(",\"duty\":[%d,%d],\"last_edge_cycle\":[%" PRIu64 ",%" PRIu64 "]", motor_pins_duty(LEFT),
        motor_pins_duty(RIGHT), motor_pins_last_edge(LEFT), motor_pins_last_edge(RIGHT));
    say(",\"encoder\":[%ld,%ld],\"speed\":[%.1f,%.1f]", wheel_count(LEFT), wheel_count(RIGHT),
        wheel_speed(LEFT), wheel_speed(RIGHT));
    say(",\"rx_bytes\":%lu,\"tx_bytes\":%lu,\"last_rx_cycle\":%" PRIu64, serial->rx_bytes,
        serial->tx_bytes, serial->last_rx_cycle);
    say(",\"overruns\":%lu,\"dropped\":%lu,\"flipped\":%lu,\"duplicated\":%lu", serial->overruns,
        cable->dropped, cable->flipped, cable->duplicated);
    say(",\"unheard\":%lu,\"wrong_baud\":%lu", serial->unheard, serial->wrong_baud);
    say(",\"servo_us\":[%.2f,%.2f,%.2f]", servo_pins_width_us(PAN), servo_pins_width_us(TILT),
        servo_pins_width_us(GRIPPER));
    say(",\"light\":[%u,%u,%u]", chip_light() & 1, chip_light() >> 1 & 1, chip_light() >> 2 & 1);
    say(",\"range_questions\":%lu,\"in_reset\":%s,\"worst_latency\":{", range_sensor_questions(),
        chip_is_in_reset() ? "true" : "false");
    const char *comma = "";
    for (int i = 0; latency_name(i); i++)
        if (latency_worst(i)) {
            say("%s\"%s\":%" PRIu64, comma, latency_name(i), latency_worst(i));
            comma = ",";
        }
    say("}}");
}

static void say_trace(void)
{
    struct motor_event motor;
    struct frame_event frame;
    struct pin_event pin;
    int room = EVENTS_PER_PAGE;
    motor_pins_check_idle();
    say("{\"motor\":[");
    for (const char *comma = ""; room && trace_next_motor(&motor); room--, comma = ",")
        say("%s[%" PRIu64 ",%" PRId64 ",%d,%d]", comma, motor.cycle, motor.wall_ns, motor.motor,
            motor.duty);
    say("],\"frame\":[");
    for (const char *comma = ""; room && trace_next_frame(&frame); room--, comma = ",")
        say("%s[%" PRIu64 ",%" PRId64 ",%" PRIu64 ",%" PRId64 ",%u]", comma, frame.first_cycle,
            frame.first_wall_ns, frame.end_cycle, frame.end_wall_ns, frame.length);
    say("],\"pin\":[");
    for (const char *comma = ""; room && trace_next_pin(&pin); room--, comma = ",")
        say("%s[%" PRIu64 ",\"%c%u\",%s]", comma, pin.cycle, pin.pin.port, pin.pin.bit,
            pin.high ? "true" : "false");
    say("],\"more\":%s,\"lost\":%lu}", room ? "false" : "true", trace_lost());
}

static bool turn_wheels(double left, double right)
{
    if (!isfinite(left) || !isfinite(right)) {
        say("{\"error\":\"a speed has to be a number\"}");
        return false;
    }
    wheel_use_model(false);
    wheel_set_speed(LEFT, left);
    wheel_set_speed(RIGHT, right);
    return true;
}

static void say_exchange(void)
{
    say("{\"cycle\":%" PRIu64 ",\"drive\":[%.6f,%.6f],\"encoder\":[%ld,%ld],"
        "\"position\":[%.6f,%.6f]}", chip->cycle, wheel_take_drive(LEFT, READER_EXCHANGE),
        wheel_take_drive(RIGHT, READER_EXCHANGE), wheel_count(LEFT), wheel_count(RIGHT),
        wheel_position(LEFT), wheel_position(RIGHT));
}

// What was ordered has happened now.
static void say_done(void)
{
    say("{\"cycle\":%" PRIu64 "}", chip->cycle);
}

static void say_injected(const char *line)
{
    uint8_t bytes[LINE_SIZE / 2];
    char name[16];
    unsigned length = 0;
    int read = 0;
    if (sscanf(line, "%15s %n", name, &read) != 1)
        return say("{\"error\":\"unknown command\"}");
    for (line += read; isxdigit(line[0]) && isxdigit(line[1]); line += 2)
        sscanf(line, "%2hhx", &bytes[length++]);
    if (*line)
        return say("{\"error\":\"not hexadecimal\"}");
    if (strcmp(name, "inject_host"))
        serial_inject_to_chip(bytes, length);
    else
        serial_inject_to_host(bytes, length);
    say_done();
}

// Says nothing: the answer is due at the step's end.
static void begin_step(struct client *client, uint64_t cycles, double left, double right)
{
    if (lock_step_is_under_way())
        return say("{\"error\":\"a step is under way already\"}");
    if (!turn_wheels(left, right))
        return;
    lock_step_order(cycles);
    if (lock_step_is_held())
        return say_exchange();
    leader = client;
}

static void obey(struct client *client, const char *line)
{
    unsigned flip, drop, duplicate, seed, value, wheel;
    unsigned long long cycles;
    char name[8];
    struct pin pin;
    double left, right;
    if (!strcmp(line, "status"))
        return say_status();
    if (!strcmp(line, "trace"))
        return say_trace();
    if (sscanf(line, "advance %llu %lf %lf", &cycles, &left, &right) == 3)
        return begin_step(client, cycles, left, right);
    if (sscanf(line, "exchange %lf %lf", &left, &right) == 2) {
        if (turn_wheels(left, right))
            say_exchange();
        return;
    }
    if (!strncmp(line, "inject", 6))
        return say_injected(line);
    if (sscanf(line, "faults %u %u %u %u", &flip, &drop, &duplicate, &seed) == 4)
        cable_set_faults(flip, drop, duplicate, seed);
    else if (sscanf(line, "stall %llu", &cycles) == 1)
        serial_stall(cycles);
    else if (sscanf(line, "brown_out %llu", &cycles) == 1)
        chip_brown_out(cycles);
    else if (sscanf(line, "watch %7s", name) == 1 && pin_parse(name, &pin))
        pin_watch(pin);
    else if (sscanf(line, "range %u", &value) == 1)
        range_sensor_set(value);
    else if (sscanf(line, "bump %u", &value) == 1)
        pin_drive(bump_pin, !value);
    else if (sscanf(line, "emergency_stop %u", &value) == 1)
        pin_drive(emergency_stop_pin, value);
    else if (sscanf(line, "encoder %u %u", &wheel, &value) == 2 && wheel < WHEELS)
        wheel_unplug(wheel, value);
    else if (sscanf(line, "jam %u %u", &wheel, &value) == 2 && wheel < WHEELS)
        wheel_jam(wheel, value);
    else if (sscanf(line, "swap %u %u", &wheel, &value) == 2 && wheel < WHEELS)
        wheel_swap_motor(wheel, value);
    else if (sscanf(line, "battery %u", &value) == 1)
        chip_set_battery(value);
    else if (sscanf(line, "model %u", &value) == 1)
        wheel_use_model(value);
    else if (!strcmp(line, "unplug"))
        serial_unplug();
    else if (!strcmp(line, "replug")) {
        if (!serial_replug())
            return say("{\"error\":\"replug: %s\"}", strerror(errno));
    } else if (!strcmp(line, "release")) {
        if (lock_step_is_under_way())
            return say("{\"error\":\"a step is under way\"}");
        lock_step_release();
    } else if (!strcmp(line, "reset"))
        chip_reset();
    else if (!strcmp(line, "quit"))
        done = true;
    else
        return say("{\"error\":\"unknown command\"}");
    say_done();
}

static void hang_up(struct client *client)
{
    if (leader == client)
        leader = NULL;
    close(client->fd);
    client->fd = -1;
    client->length = 0;
}

static void answer(struct client *client)
{
    say("\n");
    if (send(client->fd, reply, reply_length, MSG_NOSIGNAL) < 0)
        hang_up(client);
}

static void obey_lines(struct client *client)
{
    char *end;
    // Answers come in the order of the questions: what follows `advance` has to wait.
    while (leader != client && client->fd >= 0 && (end = strchr(client->line, '\n'))) {
        *end++ = 0;
        reply_length = 0;
        obey(client, client->line);
        client->length -= end - client->line;
        memmove(client->line, end, client->length + 1);
        if (reply_length)
            answer(client);
    }
    if (client->length == LINE_SIZE - 1)
        hang_up(client);
}

static void serve(struct client *client)
{
    if (leader == client)
        return;
    ssize_t length = recv(
        client->fd, client->line + client->length, LINE_SIZE - 1 - client->length, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0)
        return hang_up(client);
    client->length += length;
    client->line[client->length] = 0;
    obey_lines(client);
}

void control_end_step(void)
{
    struct client *waiting = leader;
    leader = NULL;
    if (!waiting)
        return;
    reply_length = 0;
    say_exchange();
    answer(waiting);
    obey_lines(waiting);
}

void control_wait(int milliseconds)
{
    struct pollfd wanted[MAX_CLIENTS + 1];
    for (int i = 0; i < MAX_CLIENTS; i++)
        wanted[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
    bool is_full = true;
    for (int i = 0; i < MAX_CLIENTS; i++)
        is_full = is_full && clients[i].fd >= 0;
    wanted[MAX_CLIENTS] = (struct pollfd){.fd = is_full ? -1 : listener, .events = POLLIN};
    poll(wanted, MAX_CLIENTS + 1, milliseconds);
}

void control_serve(void)
{
    bool somebody_waits = true;
    for (int i = 0; i < MAX_CLIENTS; i++) {
        if (clients[i].fd < 0 && somebody_waits) {
            clients[i].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            somebody_waits = clients[i].fd >= 0;
        }
        if (clients[i].fd >= 0)
            serve(&clients[i]);
    }
}

bool control_init(avr_t *avr, const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    chip = avr;
    for (int i = 0; i < MAX_CLIENTS; i++)
        clients[i].fd = -1;
    if (strlen(socket_path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcpy(address.sun_path, socket_path);
    strcpy(path, socket_path);
    unlink(path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0
        && listen(listener, MAX_CLIENTS) == 0;
}

void control_close(void)
{
    close(listener);
    unlink(path);
}

bool control_is_done(void)
{
    return done;
}
