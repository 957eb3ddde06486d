#define _GNU_SOURCE
#include "serial.h"

#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "avr_uart.h"
#include "cable.h"
#include "timebase.h"
#include "trace.h"

#define QUEUE_SIZE 65536 // a power of two
#define READ_SIZE 4096
#define BITS_PER_BYTE 10
// The ATmega328P holds two received bytes and a third in the shift register.
#define RECEIVE_DEPTH 3
#define BAUD_TOLERANCE 0.03
#define SHOW_AFTER_CYCLES 16

static avr_t *chip;
static avr_uart_t *uart;
static avr_irq_t *input;
static int master = -1, slave = -1;
static char link_path[512];
static struct serial_statistics statistics;

// Host to chip.
static uint8_t queue[QUEUE_SIZE];
static unsigned queue_head, queue_tail;
static bool line_is_busy;
static long delivered, register_accesses, transmitted;
static struct frame_event frame;

// Chip to host.
static struct outgoing {
    avr_cycle_count_t end; // of its stop bit
    uint8_t byte;
} outbox[QUEUE_SIZE];
static unsigned outbox_head, outbox_tail;
static avr_cycle_count_t line_end; // of the last byte's stop bit
static avr_io_write_t write_data_register;
static void *data_register_param;

static avr_cycle_count_t stalled_until;
static bool is_doubled;

// ---- the speed of the line

static unsigned cycles_per_byte(void)
{
    unsigned divider = chip->data[REG_UBRR0L] | (chip->data[REG_UBRR0H] & 0x0F) << 8;
    unsigned samples = chip->data[REG_UCSR0A] & UCSR0A_U2X0 ? 8 : 16;
    return (divider + 1) * samples * BITS_PER_BYTE;
}

static double host_baud(void)
{
    static const struct {
        speed_t code;
        double baud;
    } table[] = {
        {B9600, 9600},       {B19200, 19200},     {B38400, 38400},     {B57600, 57600},
        {B115200, 115200},   {B230400, 230400},   {B460800, 460800},   {B500000, 500000},
        {B921600, 921600},   {B1000000, 1000000}, {B2000000, 2000000},
    };
    struct termios settings;
    if (tcgetattr(master, &settings))
        return 0;
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == cfgetospeed(&settings))
            return table[i].baud;
    return 0;
}

// With another speed at each end, a real line delivers noise.
static bool bauds_agree(void)
{
    double chip_baud = (double)CPU_HZ * BITS_PER_BYTE / cycles_per_byte();
    double ratio = host_baud() / chip_baud;
    return ratio > 1 - BAUD_TOLERANCE && ratio < 1 + BAUD_TOLERANCE;
}

// ---- host to chip

// Called when a byte's stop bit has passed.
static void note_frame(uint8_t byte)
{
    statistics.last_rx_cycle = chip->cycle;
    if (frame.length++ == 0) {
        frame.first_cycle = chip->cycle;
        frame.first_wall_ns = timebase_wall_ns(chip->cycle);
    }
    if (byte == 0) {
        frame.end_cycle = chip->cycle;
        frame.end_wall_ns = timebase_wall_ns(chip->cycle);
        trace_frame(&frame);
        frame.length = 0;
    }
}

// simavr shows a byte to the chip one byte time after it was put in, and where the next
// is put in at that very moment, now and then another byte time later. Show it at once.
static void show_to_chip(uint8_t byte)
{
    avr_cycle_count_t cycles = uart->cycles_per_byte;
    uart->cycles_per_byte = SHOW_AFTER_CYCLES;
    avr_raise_irq(input, byte);
    uart->cycles_per_byte = cycles;
}

static void deliver(uint8_t byte)
{
    long reads = register_accesses - transmitted;
    // A receiver that is off keeps nothing: the first bytes after a start.
    if (!(chip->data[REG_UCSR0B] & UCSR0B_RXEN0)) {
        delivered = reads;
        return;
    }
    // simavr has room for 64 bytes; the chip has not.
    if (delivered - reads >= RECEIVE_DEPTH) {
        statistics.overruns++;
        return;
    }
    delivered++;
    show_to_chip(byte);
}

static bool is_stalled(void)
{
    return chip->cycle < stalled_until;
}

void serial_stall(avr_cycle_count_t cycles)
{
    stalled_until = chip->cycle + cycles;
}

static avr_cycle_count_t on_byte(avr_t *avr, avr_cycle_count_t when, void *param)
{
    static uint8_t byte;
    (void)avr;
    (void)param;
    // The second of a doubled byte takes its time on the line too.
    if (is_doubled) {
        is_doubled = false;
        deliver(byte);
        return when + cycles_per_byte();
    }
    if (queue_head == queue_tail) {
        line_is_busy = false;
        return 0;
    }
    if (is_stalled())
        return stalled_until;
    byte = queue[queue_tail++ % QUEUE_SIZE];
    statistics.rx_bytes++;
    note_frame(byte);
    unsigned times = cable_pass(&byte);
    if (times)
        deliver(byte);
    is_doubled = times == 2;
    return when + cycles_per_byte();
}

static void send_to_chip(uint8_t byte)
{
    queue[queue_head++ % QUEUE_SIZE] = byte;
    if (!line_is_busy) {
        line_is_busy = true;
        avr_cycle_timer_register(chip, cycles_per_byte(), on_byte, NULL);
    }
}

static bool has_room(void)
{
    return QUEUE_SIZE - (queue_head - queue_tail) > READ_SIZE;
}

void serial_inject_to_chip(const uint8_t *bytes, unsigned length)
{
    for (unsigned i = 0; i < length && has_room(); i++)
        send_to_chip(bytes[i]);
}

void serial_read_host(void)
{
    uint8_t bytes[READ_SIZE];
    if (master < 0 || !has_room())
        return;
    ssize_t length = read(master, bytes, sizeof bytes);
    if (length <= 0)
        return;
    bool readable = bauds_agree();
    if (!readable)
        statistics.wrong_baud += length;
    for (ssize_t i = 0; i < length; i++)
        send_to_chip(readable ? bytes[i] : cable_noise());
}

// ---- chip to host

static void on_transmit(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)param;
    uint8_t byte = value;
    transmitted++;
    statistics.tx_bytes++;
    for (unsigned times = cable_pass(&byte); times; times--)
        serial_inject_to_host(&byte, 1);
}

void serial_inject_to_host(const uint8_t *bytes, unsigned length)
{
    for (unsigned i = 0; i < length && outbox_head - outbox_tail < QUEUE_SIZE; i++)
        outbox[outbox_head++ % QUEUE_SIZE] =
            (struct outgoing){.end = line_end, .byte = bytes[i]};
}

// The data register is free again when the shift register has taken its byte: at once
// where the line is idle, else when the byte before has gone. simavr says it a byte time
// after the write, so that the program's own delay would come between all bytes.
static void on_data_write(avr_t *avr, avr_io_addr_t address, uint8_t byte, void *param)
{
    (void)param;
    avr_cycle_count_t taken = line_end > avr->cycle ? line_end : avr->cycle;
    avr_cycle_count_t cycles = uart->cycles_per_byte;
    line_end = taken + cycles_per_byte();
    uart->cycles_per_byte = taken > avr->cycle ? taken - avr->cycle : 1;
    write_data_register(avr, address, byte, data_register_param);
    uart->cycles_per_byte = cycles;
}

static void on_data_register(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)value;
    (void)param;
    register_accesses++;
    // simavr lets the chip read one byte in a byte time, so that after a delay it would
    // never catch up. The real flag stays up until the last byte is read.
    bool unread = uart->input.read != uart->input.write;
    if (unread)
        avr_raise_interrupt(chip, &uart->rxc);
}

void serial_write_host(void)
{
    uint8_t bytes[READ_SIZE];
    unsigned length = 0;
    if (is_stalled())
        return;
    while (length < sizeof bytes && outbox_tail != outbox_head
        && outbox[outbox_tail % QUEUE_SIZE].end <= chip->cycle)
        bytes[length++] = outbox[outbox_tail++ % QUEUE_SIZE].byte;
    if (!length)
        return;
    if (master >= 0 && !bauds_agree()) {
        statistics.wrong_baud += length;
        for (unsigned i = 0; i < length; i++)
            bytes[i] = cable_noise();
    }
    // A UART does not wait for somebody to listen.
    ssize_t written = master < 0 ? 0 : write(master, bytes, length);
    statistics.unheard += length - (written > 0 ? written : 0);
}

// ---- plug and chip

bool serial_replug(void)
{
    char name[128], fresh_link[sizeof link_path + 8];
    struct termios raw;
    if (master >= 0)
        return true;
    // The slave end stays open here too: with nobody at it, reading the master fails.
    if (openpty(&master, &slave, name, NULL, NULL))
        return false;
    fcntl(master, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    fcntl(master, F_SETFL, O_NONBLOCK);
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    snprintf(fresh_link, sizeof fresh_link, "%s.new", link_path);
    unlink(fresh_link);
    return symlink(name, fresh_link) == 0 && rename(fresh_link, link_path) == 0;
}

void serial_unplug(void)
{
    if (master < 0)
        return;
    unlink(link_path);
    close(master);
    close(slave);
    master = slave = -1;
    queue_tail = queue_head;
    frame.length = 0;
}

bool serial_is_plugged(void)
{
    return master >= 0;
}

static avr_uart_t *find_uart(avr_t *avr)
{
    avr_io_t *io = avr->io_port;
    while (io && strcmp(io->kind, "uart"))
        io = io->next;
    return (avr_uart_t *)io; // its first member
}

bool serial_init(avr_t *avr, const char *path)
{
    uint32_t no_polling_sleep = 0;
    chip = avr;
    snprintf(link_path, sizeof link_path, "%s", path);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &no_polling_sleep);
    uart = find_uart(avr);
    if (!uart)
        return false;
    input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(
        avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_transmit, NULL);
    avr_irq_register_notify(
        avr_iomem_getirq(avr, REG_UDR0, NULL, AVR_IOMEM_IRQ_ALL), on_data_register, NULL);
    avr_io_addr_t data_register = AVR_DATA_TO_IO(REG_UDR0);
    write_data_register = avr->io[data_register].w.c;
    data_register_param = avr->io[data_register].w.param;
    avr->io[data_register].w.c = on_data_write;
    return serial_replug();
}

void serial_on_reset(void)
{
    line_is_busy = false;
    queue_tail = queue_head;
    frame.length = 0;
    delivered = register_accesses - transmitted;
    line_end = chip->cycle;
}

void serial_close(void)
{
    serial_unplug();
}

const struct serial_statistics *serial_statistics(void)
{
    return &statistics;
}
