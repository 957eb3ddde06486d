#include "uart.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "reflexarc_bp.h"

#ifndef BAUD
#define BAUD BAUDRATE
#endif
// Double speed: 8 samples a bit, and no error at 500 kbaud or 1 Mbaud.
#define UBRR_VALUE ((F_CPU + BAUD * 4L) / (BAUD * 8L) - 1)

// Powers of two, so that an index wraps with a mask. 128 bytes are 2.6 ms of line.
#define BUFFER_SIZE 128
#define BUFFER_MASK (BUFFER_SIZE - 1)

static uint8_t rx_buffer[BUFFER_SIZE];
static volatile uint8_t rx_head, rx_tail;
static uint8_t tx_buffer[BUFFER_SIZE];
static volatile uint8_t tx_head, tx_tail;
static volatile uint16_t errors;

void uart_init(void)
{
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
    uint8_t next = (rx_head + 1) & BUFFER_MASK;
    if (status & (_BV(DOR0) | _BV(FE0)))
        errors++;
    if (next == rx_tail) {
        errors++;
        return;
    }
    rx_buffer[rx_head] = byte;
    rx_head = next;
}

ISR(USART_UDRE_vect)
{
    if (tx_head == tx_tail) {
        UCSR0B &= ~_BV(UDRIE0);
        return;
    }
    UDR0 = tx_buffer[tx_tail];
    tx_tail = (tx_tail + 1) & BUFFER_MASK;
}

bool uart_is_readable(void)
{
    return rx_tail != rx_head;
}

bool uart_read(uint8_t *byte)
{
    if (!uart_is_readable())
        return false;
    *byte = rx_buffer[rx_tail];
    rx_tail = (rx_tail + 1) & BUFFER_MASK;
    return true;
}

bool uart_write(const uint8_t *data, uint8_t length)
{
    uint8_t head = tx_head;
    uint8_t used = (head - tx_tail) & BUFFER_MASK;
    if (length > BUFFER_MASK - used)
        return false;
    while (length--) {
        tx_buffer[head] = *data++;
        head = (head + 1) & BUFFER_MASK;
    }
    tx_head = head;
    // The interrupt switches its own enable bit off: no half-done change may cross it.
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) UCSR0B |= _BV(UDRIE0);
    return true;
}

uint16_t uart_errors(void)
{
    uint16_t now;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) now = errors;
    return now;
}
