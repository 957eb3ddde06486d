// The conversation with the host: greeting, replies and the streams.
#pragma once

#include <stdint.h>

// Sends what is due of the streams, then answers one request, where one has come in.
// Not all of them: a host that never pauses must not keep the motor control waiting.
void session_serve(void);

// One control period has passed: messages of the streams are due.
void session_step(void);

// A millisecond has passed.
void session_poll(void);

// Where the settings came from, for the greeting.
void session_init(uint8_t settings_source);
