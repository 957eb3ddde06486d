#include "latency.h"

#include <stddef.h>
#include <stdint.h>

#include "sim_interrupts.h"

// ATmega328P datasheet, table 12-6, from 1.
static const char *const names[] = {
    "INT0", "INT1", "PCINT0", "PCINT1", "PCINT2", "WDT", "TIMER2_COMPA", "TIMER2_COMPB",
    "TIMER2_OVF", "TIMER1_CAPT", "TIMER1_COMPA", "TIMER1_COMPB", "TIMER1_OVF", "TIMER0_COMPA",
    "TIMER0_COMPB", "TIMER0_OVF", "SPI_STC", "USART_RX", "USART_UDRE", "USART_TX", "ADC",
    "EE_READY", "ANALOG_COMP", "TWI", "SPM_READY",
};
#define VECTORS ((int)(sizeof names / sizeof *names))

static avr_t *chip;
static struct {
    avr_cycle_count_t pending_since, worst;
} vectors[VECTORS];

static void on_pending(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    if (value)
        vectors[(intptr_t)param].pending_since = chip->cycle;
}

static void on_running(avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq;
    intptr_t vector = (intptr_t)param;
    avr_cycle_count_t wait = chip->cycle - vectors[vector].pending_since;
    if (value && vectors[vector].pending_since && wait > vectors[vector].worst)
        vectors[vector].worst = wait;
}

void latency_init(avr_t *avr)
{
    chip = avr;
    for (intptr_t i = 0; i < VECTORS; i++) {
        avr_irq_t *irq = avr_get_interrupt_irq(avr, i + 1);
        if (!irq)
            continue;
        avr_irq_register_notify(irq + AVR_INT_IRQ_PENDING, on_pending, (void *)i);
        avr_irq_register_notify(irq + AVR_INT_IRQ_RUNNING, on_running, (void *)i);
    }
}

const char *latency_name(int vector)
{
    return vector < VECTORS ? names[vector] : NULL;
}

avr_cycle_count_t latency_worst(int vector)
{
    return vectors[vector].worst;
}
