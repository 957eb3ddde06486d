// The control socket: a line with a command in, a line of JSON out.
//
//   status              what the chip and its surroundings are doing
//   trace               events since the last call, at most a page of them
//   faults FLIP DROP SEED   parts per million of bytes, both ways
//   unplug | replug     the serial cable
//   reset               the chip's reset pin
//   battery MILLIVOLTS
//   model 0|1           the built-in wheel model
//   exchange LEFT RIGHT set the wheels' speeds (counts/s, model off) and get the mean
//                       drive since the last exchange: the door for a body outside
//   quit
#pragma once

#include <stdbool.h>

#include "board.h"

bool control_init(avr_t *avr, const char *socket_path);
void control_serve(void);
void control_close(void);

// After `quit`.
bool control_is_done(void);
