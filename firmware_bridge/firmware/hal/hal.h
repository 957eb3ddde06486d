// What the control logic needs of a chip, all of it. Another chip is another folder
// chips/<name>/ with these functions and a chip.h: docs/porting.md.
//
// They are called from the main loop, never from an interrupt, and none of them waits
// where it does not say so.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// CHIP_BOARD_KIND        a BOARD_KIND_* of the protocol
// CHIP_CAPABILITIES      CAPABILITY_* of the protocol: the parts that it has
// CHIP_RECEIVE_BUFFER    bytes of requests that the chip holds while it is busy
// CHIP_NONVOLATILE_SIZE  bytes that survive a loss of power, 128 or more
// CHIP_FLASH             keeps a constant table out of RAM, where that must be said
#include "chip.h"

enum wheel { LEFT, RIGHT, WHEELS };

// ---- start and time

// Motors off first of all: their pins must not float. Then everything else; interrupts
// are on at the end.
void hal_init(void);

// Waits for the next interrupt, 1 ms at most; not at all where a byte is waiting.
void hal_sleep(void);

// Since the start; wraps after 71 minutes.
uint32_t hal_us(void);

// RESET_* of the protocol, and the starts since power came on, this one included.
uint8_t hal_reset_cause(void);
uint16_t hal_boots(void);

// 120 ms without a kick restart the chip, which leaves the motors off.
void hal_watchdog_start(void);
void hal_watchdog_kick(void);

// ---- serial line

bool hal_uart_read(uint8_t *byte);

// Bytes that hal_uart_write() can take now; a frame is written in pieces.
uint8_t hal_uart_free(void);
void hal_uart_write(const uint8_t *data, uint8_t length);

// Bytes lost or misread; wraps. Asked every millisecond.
uint8_t hal_uart_errors(void);

// ---- motors and encoders

// -255..255; at 0 all of the motor's pins are low.
void hal_motor_set(enum wheel wheel, int16_t duty);

struct hal_encoder {
    uint16_t count;   // up is forward; wraps
    uint8_t edges;    // all of them, those that made no count too; wraps
    uint32_t edge_us; // when the last one came; not kept for longer than 20 ms
};

struct hal_encoder hal_encoder_read(enum wheel wheel);

// ---- servos and light

// The length of a pulse every 20 ms; 0 is none. Taken up with the next pulse.
void hal_servo_set(uint8_t servo, uint16_t pulse_us);

// LIGHT_* bits of the protocol.
void hal_light_set(uint8_t color);

// ---- sensors

// Asks the range sensor. Waits for the 10 us that the question takes. An echo that goes on
// belongs to no question.
void hal_range_trigger(void);

// The length of the echo pulse since then; false before its end, or where it took
// longer than 25 ms.
bool hal_range_read(uint16_t *echo_us);

bool hal_bump_is_pressed(void);
bool hal_emergency_stop_is_open(void);

// Starts a reading; its value in 1/65536 of full scale. Waits for its end, 0.1 ms.
void hal_battery_start(void);
uint16_t hal_battery_read(void);

// ---- bytes that survive a loss of power

uint8_t hal_nonvolatile_read(uint8_t address);

// Only while not busy; is busy for some milliseconds afterwards. Bytes get there in the
// order in which they are written.
void hal_nonvolatile_write(uint8_t address, uint8_t byte);
bool hal_nonvolatile_is_busy(void);

// ---- the stack's guard

// False where the stack has grown into its last bytes: what lies behind it may be gone.
bool hal_stack_is_intact(void);

// The fewest bytes between the stack and its guard since the start.
uint16_t hal_stack_free(void);

// Restarts the chip with RESET_STACK_OVERFLOW.
void hal_stack_restart(void) __attribute__((noreturn));

#ifdef REFLEXARC_TEST_HOOKS
// Serves nothing any more, with interrupts off.
void hal_hang(void) __attribute__((noreturn));

// Grows the stack until its guard is gone, and returns.
void hal_stack_overflow(void);
#endif
