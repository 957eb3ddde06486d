#include "cable.h"

static unsigned flip_ppm, drop_ppm, duplicate_ppm;
static uint32_t noise_state = 1;
static struct cable_statistics statistics;

uint32_t cable_noise(void) // xorshift32 (Marsaglia, 2003)
{
    noise_state ^= noise_state << 13;
    noise_state ^= noise_state >> 17;
    noise_state ^= noise_state << 5;
    return noise_state;
}

static bool happens(unsigned ppm)
{
    return ppm && cable_noise() % 1000000 < ppm;
}

unsigned cable_pass(uint8_t *byte)
{
    if (happens(drop_ppm)) {
        statistics.dropped++;
        return 0;
    }
    if (happens(flip_ppm)) {
        statistics.flipped++;
        *byte ^= 1 << (cable_noise() & 7);
    }
    if (!happens(duplicate_ppm))
        return 1;
    statistics.duplicated++;
    return 2;
}

void cable_set_faults(unsigned flip, unsigned drop, unsigned duplicate, unsigned seed)
{
    flip_ppm = flip;
    drop_ppm = drop;
    duplicate_ppm = duplicate;
    noise_state = seed ? seed : 1; // xorshift stays at 0 for ever
}

const struct cable_statistics *cable_statistics(void)
{
    return &statistics;
}
