// The RGB light.

#include "hal.h"
#include "parts.h"
#include "pins.h"

#define LIGHT_MASK (7 << LIGHT_SHIFT)

void light_init(void)
{
    LIGHT_DDR |= LIGHT_MASK;
}

void hal_light_set(uint8_t color)
{
    LIGHT_PORT = (LIGHT_PORT & ~LIGHT_MASK) | (color << LIGHT_SHIFT & LIGHT_MASK);
}
