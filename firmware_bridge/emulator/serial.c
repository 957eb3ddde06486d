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
static uint8_t outbox[READ_SIZE];
static unsigned outbox_length;

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
    statistics.rx_bytes++;
    note_frame(byte);
    if (!cable_pass(&byte))
        return;
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

static avr_cycle_count_t on_byte(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr;
    (void)param;
    if (queue_head == queue_tail) {
        line_is_busy = false;
        return 0;
    }
    deliver(queue[queue_tail++ % QUEUE_SIZE]);
    return when + cycles_per_byte();
}

void serial_read_host(void)
{
    uint8_t bytes[READ_SIZE];
    if (master < 0 || QUEUE_SIZE - (queue_head - queue_tail) < READ_SIZE)
        return;
    ssize_t length = read(master, bytes, sizeof bytes);
    if (length <= 0)
        return;
    bool readable = bauds_agree();
    if (!readable)
        statistics.wrong_baud += length;
    for (ssize_t i = 0; i < length; i++)
        queue[queue_head++ % QUEUE_SIZE] = readable ? bytes[i] : cable_noise();
    if (!line_is_busy) {
        line_is_busy = true;
        avr_cycle_timer_register(chip, cycles_per_byte(), on_byte, NULL);
    }
}

// ---- chip to host

static void on_transmit(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    (void)param;
    uint8_t byte = value;
    transmitted++;
    statistics.tx_bytes++;
    if (!cable_pass(&byte))
        return;
    if (outbox_length < sizeof outbox)
        outbox[outbox_length++] = byte;
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
    if (!outbox_length)
        return;
    if (master >= 0 && !bauds_agree()) {
        statistics.wrong_baud += outbox_length;
        for (unsigned i = 0; i < outbox_length; i++)
            outbox[i] = cable_noise();
    }
    // A UART does not wait for somebody to listen.
    ssize_t written = master < 0 ? 0 : write(master, outbox, outbox_length);
    statistics.unheard += outbox_length - (written > 0 ? written : 0);
    outbox_length = 0;
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
    return serial_replug();
}

void serial_on_reset(void)
{
    line_is_busy = false;
    queue_tail = queue_head;
    frame.length = 0;
    delivered = register_accesses - transmitted;
}

void serial_close(void)
{
    serial_unplug();
}

const struct serial_statistics *serial_statistics(void)
{
    return &statistics;
}
