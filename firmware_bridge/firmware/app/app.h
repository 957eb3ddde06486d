// The main loop's body: everything but what interrupts put aside for it.
#pragma once

void app_init(void);

// Once for each time that hal_sleep() returns.
void app_run(void);
