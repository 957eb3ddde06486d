// The RGB light.

#include "hal.h"
#include "parts.h"
#include "pins.h"

void light_init(void)
{
    for (uint8_t color = 0; color < 3; color++)
        pin_make_output(LIGHT_PORT, LIGHT_SHIFT + color);
}

void hal_light_set(uint8_t color)
{
    pins_set(LIGHT_PORT, 7UL << LIGHT_SHIFT, (uint32_t)color << LIGHT_SHIFT);
}
