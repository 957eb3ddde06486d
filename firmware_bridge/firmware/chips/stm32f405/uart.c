// The serial line: USART1 by interrupt, with a ring each way.

#include "hal.h"
#include "core.h"
#include "parts.h"
#include "pins.h"

#ifndef BAUD
#define BAUD BAUDRATE
#endif
#define APB2_HZ 84000000UL

#define SR_ERRORS (BIT(1) | BIT(2) | BIT(3)) // framing, noise, overrun
#define SR_RECEIVED BIT(5)
#define SR_TRANSMIT_EMPTY BIT(7)
#define CR1_ON (BIT(13) | BIT(3) | BIT(2)) // both ways
#define CR1_RECEIVED_INTERRUPT BIT(5)
#define CR1_TRANSMIT_EMPTY_INTERRUPT BIT(7)

// An index of 8 bits wraps by itself.
static uint8_t rx_ring[256], tx_ring[256];
static volatile uint8_t rx_head, rx_tail, tx_head, tx_tail;
static volatile uint8_t errors; // wraps
_Static_assert(CHIP_RECEIVE_BUFFER == sizeof rx_ring - 1, "one place stays free in a ring");

void uart_init(void)
{
    pin_make_function(UART_PORT, UART_TX_PIN, UART_FUNCTION);
    pin_make_function(UART_PORT, UART_RX_PIN, UART_FUNCTION);
    RCC->APB2ENR |= BIT(4);
    USART1->BRR = (APB2_HZ + BAUD / 2) / BAUD;
    USART1->CR1 = CR1_ON | CR1_RECEIVED_INTERRUPT;
    NVIC_ISER[USART1_IRQ / 32] = BIT(USART1_IRQ % 32);
}

static void take_byte(uint32_t status)
{
    uint8_t byte = USART1->DR; // Clears the status too.
    if (status & SR_ERRORS)
        errors++;
    if ((uint8_t)(rx_head + 1) == rx_tail) {
        errors++;
        return;
    }
    rx_ring[rx_head++] = byte;
}

// Gives the transmitter what it takes; with interrupts off.
static void send_waiting(void)
{
    while (tx_tail != tx_head && USART1->SR & SR_TRANSMIT_EMPTY)
        USART1->DR = tx_ring[tx_tail++];
    if (tx_tail == tx_head)
        USART1->CR1 &= ~CR1_TRANSMIT_EMPTY_INTERRUPT;
    else
        USART1->CR1 |= CR1_TRANSMIT_EMPTY_INTERRUPT;
}

void usart1_handler(void)
{
    uint32_t status = USART1->SR;
    if (status & (SR_RECEIVED | SR_ERRORS))
        take_byte(status);
    send_waiting();
}

bool uart_is_readable(void)
{
    return rx_tail != rx_head;
}

bool hal_uart_read(uint8_t *byte)
{
    if (!uart_is_readable())
        return false;
    *byte = rx_ring[rx_tail++];
    return true;
}

uint8_t hal_uart_free(void)
{
    return tx_tail - tx_head - 1;
}

void hal_uart_write(const uint8_t *data, uint8_t length)
{
    uint8_t head = tx_head;
    while (length--)
        tx_ring[head++] = *data++;
    tx_head = head;
    core_disable_interrupts();
    send_waiting();
    core_enable_interrupts();
}

uint8_t hal_uart_errors(void)
{
    return errors;
}
