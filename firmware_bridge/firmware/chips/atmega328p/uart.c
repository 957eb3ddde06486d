#include "uart.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "hal.h"
#include "pins.h"

#ifndef BAUD
#define BAUD BAUDRATE
#endif
// Double speed: 8 samples a bit, and no error at 500 kbaud or 1 Mbaud.
#define UBRR_VALUE ((F_CPU + BAUD * 4L) / (BAUD * 8L) - 1)

// Powers of two, so that an index wraps with a mask. 128 bytes are 2.6 ms of line.
#define BUFFER_SIZE 128
#define BUFFER_MASK (BUFFER_SIZE - 1)
_Static_assert(CHIP_RECEIVE_BUFFER == BUFFER_SIZE - 1, "one place stays free in a ring");

static uint8_t rx_buffer[BUFFER_SIZE];
static volatile uint8_t rx_head, rx_tail;
static uint8_t tx_buffer[BUFFER_SIZE];
static volatile uint8_t tx_head, tx_tail;
static volatile uint8_t errors; // wraps

void uart_init(void)
{
    UART_PORT |= _BV(UART_RX_PIN); // Without a cable the pin would float, and hear noise.
    // UBRR last: simavr works the baud rate out only when it is written.
    UCSR0A = _BV(U2X0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UBRR0 = UBRR_VALUE;
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
}

ISR(USART_RX_vect)
{
    uint8_t status = UCSR0A; // Reading UDR0 clears it.
    uint8_t byte = UDR0;
    uint8_t head = rx_head, next = (head + 1) & BUFFER_MASK;
    if (status & (_BV(DOR0) | _BV(FE0)))
        errors++;
    if (next == rx_tail) {
        errors++;
        return;
    }
    rx_buffer[head] = byte;
    rx_head = next;
}

ISR(USART_UDRE_vect)
{
    uint8_t tail = tx_tail;
    if (tx_head == tail) {
        UCSR0B &= ~_BV(UDRIE0);
        return;
    }
    UDR0 = tx_buffer[tail];
    tx_tail = (tail + 1) & BUFFER_MASK;
}

bool uart_is_readable(void)
{
    return rx_tail != rx_head;
}

bool hal_uart_read(uint8_t *byte)
{
    uint8_t tail = rx_tail;
    if (tail == rx_head)
        return false;
    *byte = rx_buffer[tail];
    rx_tail = (tail + 1) & BUFFER_MASK;
    return true;
}

uint8_t hal_uart_free(void)
{
    return (tx_tail - tx_head - 1) & BUFFER_MASK;
}

void hal_uart_write(const uint8_t *data, uint8_t length)
{
    uint8_t head = tx_head;
    while (length--) {
        tx_buffer[head] = *data++;
        head = (head + 1) & BUFFER_MASK;
    }
    tx_head = head;
    // The interrupt switches its own enable bit off: no half-done change may cross it.
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) UCSR0B |= _BV(UDRIE0);
}

uint8_t hal_uart_errors(void)
{
    return errors;
}
