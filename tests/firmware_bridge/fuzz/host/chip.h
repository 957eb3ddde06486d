// A chip that is this machine.
#pragma once

#include "reflexarc_bp.h"

#define CHIP_BOARD_KIND BOARD_KIND_UNKNOWN
#define CHIP_CAPABILITIES 0xFF
#define CHIP_RECEIVE_BUFFER 127
#define CHIP_NONVOLATILE_SIZE 128
#define CHIP_FLASH
