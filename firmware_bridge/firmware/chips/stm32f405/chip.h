// An STM32F405 (Cortex-M4) at 168 MHz. It has motors, servos and the light; it has no
// encoders, sensors or switches yet, and its settings do not survive a loss of power.
#pragma once

#include "reflexarc_bp.h"

#define CHIP_BOARD_KIND BOARD_KIND_STM_32_F_405
#define CHIP_CAPABILITIES (CAPABILITY_SERVOS | CAPABILITY_LIGHT)
#define CHIP_RECEIVE_BUFFER 255
#define CHIP_NONVOLATILE_SIZE 128
#define CHIP_FLASH
