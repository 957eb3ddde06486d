// Faults: what has happened and keeps the motors off until CLEAR.
#pragma once

#include <stdint.h>

// Latches FAULT_* bits and does at once what they ask for.
void faults_raise(uint16_t faults);

// Once a millisecond: bump and emergency stop.
void faults_check_switches(void);

// Once a control period.
void faults_check_battery(void);

// All that are latched.
uint16_t faults_latched(void);

// Forgets those of `faults` whose cause is gone; a bump's need not be.
void faults_clear(uint16_t faults);
