#include "battery.h"

#include "pins.h"

void battery_init(void)
{
    ADMUX = _BV(REFS0) | BATTERY_ADC_CHANNEL;
    // 16 MHz / 128; a conversion takes 0.1 ms, long done after a control period.
    ADCSRA = _BV(ADEN) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0) | _BV(ADSC);
}

uint16_t battery_step(void)
{
    uint16_t reading = ADC;
    ADCSRA |= _BV(ADSC);
    return (uint32_t)reading * BATTERY_DIVIDER * ADC_REFERENCE_MV / 1024;
}
