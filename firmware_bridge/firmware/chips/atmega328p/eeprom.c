// Bytes that survive a loss of power.

#include <avr/eeprom.h>

#include "hal.h"

// Not from 0: a supply that breaks down in mid-write likes to hit the first byte.
#define FIRST_ADDRESS 64

static uint8_t *at(uint8_t address)
{
    return (uint8_t *)(uintptr_t)(FIRST_ADDRESS + address);
}

uint8_t hal_nonvolatile_read(uint8_t address)
{
    return eeprom_read_byte(at(address));
}

void hal_nonvolatile_write(uint8_t address, uint8_t byte)
{
    eeprom_write_byte(at(address), byte);
}

bool hal_nonvolatile_is_busy(void)
{
    return !eeprom_is_ready();
}
