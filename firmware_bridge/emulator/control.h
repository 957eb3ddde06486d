// The control socket: a line with a command in, a line of JSON out.
//
//   status              what the chip and its surroundings are doing
//   trace               events since the last call, at most a page of them
//   faults FLIP DROP DUPLICATE SEED   parts per million of bytes, both ways
//   stall CYCLES        nothing passes on the line, then everything
//   inject HEX          bytes to the chip, as if from the host
//   inject_host HEX     bytes to the host, as if from the chip
//   watch PIN           put this pin's edges into the trace: B1
//   unplug | replug     the serial cable
//   reset               the chip's reset pin
//   brown_out CYCLES    the supply breaks down for this long
//   battery MILLIVOLTS
//   range MILLIMETRES   0: no echo
//   bump 0|1            1: pressed
//   emergency_stop 0|1  1: opened
//   encoder WHEEL CHANNELS   unplugged: 1 is A, 2 is B
//   jam WHEEL 0|1       of the built-in wheel model
//   swap WHEEL 0|1      the motor's wires
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
