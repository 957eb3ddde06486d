// The chip's UART0 behind a pty: bytes at the speed of the line, a receive buffer as
// small as the chip's, and a plug that can be pulled.
#pragma once

#include <stdbool.h>

#include "board.h"

struct serial_statistics {
    unsigned long rx_bytes;   // came in from the host
    unsigned long tx_bytes;   // the chip sent
    unsigned long overruns;   // the chip read too slowly
    unsigned long unheard;    // the host did not read, or nobody was there
    unsigned long wrong_baud; // host and chip disagreed on the speed
    avr_cycle_count_t last_rx_cycle;
};

// Makes the pty and a symbolic link to it; false with errno set.
bool serial_init(avr_t *avr, const char *link_path);
void serial_on_reset(void);
void serial_close(void);

// Nothing passes for this long, either way; then everything does.
void serial_stall(avr_cycle_count_t cycles);

// Bytes to one end as if from the other.
void serial_inject_to_chip(const uint8_t *bytes, unsigned length);
void serial_inject_to_host(const uint8_t *bytes, unsigned length);

// Between two slices of emulation.
void serial_read_host(void);
void serial_write_host(void);

void serial_unplug(void);
bool serial_replug(void);
bool serial_is_plugged(void);

const struct serial_statistics *serial_statistics(void);
