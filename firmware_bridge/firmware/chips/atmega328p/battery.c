// Battery voltage: the ADC against its own supply.

#include "hal.h"
#include "parts.h"
#include "pins.h"

void battery_init(void)
{
    ADMUX = _BV(REFS0) | BATTERY_ADC_CHANNEL;
    ADCSRA = _BV(ADEN) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0); // 16 MHz / 128
}

void hal_battery_start(void)
{
    ADCSRA |= _BV(ADSC);
}

uint16_t hal_battery_read(void)
{
    while (ADCSRA & _BV(ADSC))
        ;
    return ADC << 6; // of 10 bits
}
