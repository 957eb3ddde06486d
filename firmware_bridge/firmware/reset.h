// Why the chip started, how often, and the hardware watchdog.
#pragma once

#include <stdint.h>

// MCUSR as it was at start-up (RESET_* of the protocol).
uint8_t reset_cause(void);

// Starts since power came on, this one included.
uint16_t reset_boots(void);

// 120 ms without watchdog_kick() restart the chip, which leaves the motors off.
void watchdog_start(void);
void watchdog_kick(void);
