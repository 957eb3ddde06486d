// The conversation with the host: answers requests, sends the state stream.
#pragma once

#include <stdint.h>

// Answers one request, where one has come in. Not all of them: a host that never
// pauses must not keep the motor control waiting.
void session_serve(void);

// One State message; nothing before the first HELLO.
void session_send_state(uint16_t battery_mv);
