#include "period.h"

static uint32_t began_us;
static uint16_t longest_us;

void period_begin(uint32_t now_us)
{
    began_us = now_us;
}

void period_end(uint32_t now_us)
{
    uint32_t took_us = now_us - began_us;
    began_us = now_us;
    if (took_us > UINT16_MAX)
        took_us = UINT16_MAX;
    if (took_us > longest_us)
        longest_us = took_us;
}

uint16_t period_longest_us(void)
{
    return longest_us;
}
