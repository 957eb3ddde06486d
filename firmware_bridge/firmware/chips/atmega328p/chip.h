// The rover's board: ATmega328P at 16 MHz (Arduino Uno, Nano).
#pragma once

#include "reflexarc_bp.h"

#define CHIP_BOARD_KIND BOARD_KIND_ATMEGA_328_P
#define CHIP_CAPABILITIES                                                               \
    (CAPABILITY_DRIVE | CAPABILITY_BATTERY | CAPABILITY_SERVOS | CAPABILITY_LIGHT        \
        | CAPABILITY_RANGE | CAPABILITY_BUMP | CAPABILITY_EMERGENCY_STOP                 \
        | CAPABILITY_SETTINGS)
#define CHIP_RECEIVE_BUFFER 127
#define CHIP_NONVOLATILE_SIZE 128
#define CHIP_FLASH __flash
