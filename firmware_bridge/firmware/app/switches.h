// Bump switch and emergency stop, freed of contact bounce: a change holds after 4 ms.
#pragma once

#include <stdbool.h>

// Once a millisecond.
void switches_step(void);

bool switches_bump_is_pressed(void);

// Never where the settings say that there is none.
bool switches_emergency_stop_is_open(void);
