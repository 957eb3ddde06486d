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
//   advance CYCLES LEFT RIGHT  set the wheels' speeds as `exchange` does, let just that
//                       many cycles pass, and hold: the answer, as of `exchange`, comes
//                       at the end. From the first one on, time passes only in such steps;
//                       everything else is answered while the chip is held, too
//   release             let time pass freely again
//   quit
#pragma once

#include <stdbool.h>

#include "board.h"

bool control_init(avr_t *avr, const char *socket_path);
void control_serve(void);
void control_close(void);

// Sleeps until somebody says something, at most this long.
void control_wait(int milliseconds);

// The step that was ordered with `advance` is over: tells who ordered it.
void control_end_step(void);

// After `quit`.
bool control_is_done(void);
