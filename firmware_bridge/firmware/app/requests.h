// What the chip does for each request but HELLO.
#pragma once

#include <stdint.h>

// Does it and writes the reply's payload over the request's, where there is room for
// MAX_PAYLOAD bytes. `length` becomes the reply's; 0 asks for an Ack. Gives a STATUS_*.
uint8_t requests_handle(uint8_t type, uint8_t *payload, uint8_t *length);

// Payloads that are also sent without having been asked for.
void requests_put_state(uint8_t *payload);
void requests_put_health(uint8_t *payload);
