#include "speed_estimator.h"

#define TICKS_PER_SECOND 250000L
#define STEPS_PER_SECOND 100
// Closer edges are bounce or a turn-round, and would look like a very fast wheel.
#define SHORTEST_TICKS 250
// No edge for 100 ms: below 10 counts/s, call it standing. Also keeps the ticks from
// wrapping (262 ms).
#define IDLE_STEPS 10

static int16_t limit(int32_t speed)
{
    if (speed > INT16_MAX)
        return INT16_MAX;
    return speed < -INT16_MAX ? -INT16_MAX : speed;
}

int16_t speed_estimator_step(
    struct speed_estimator *estimator, int32_t count, uint16_t edge_ticks, uint16_t now_ticks)
{
    int32_t counts = count - estimator->count;
    if (counts) {
        uint16_t ticks = edge_ticks - estimator->edge_ticks;
        estimator->speed = limit(
            ticks < SHORTEST_TICKS ? counts * STEPS_PER_SECOND : counts * TICKS_PER_SECOND / ticks);
        estimator->count = count;
        estimator->edge_ticks = edge_ticks;
        estimator->idle_steps = 0;
        return estimator->speed;
    }
    if (estimator->idle_steps >= IDLE_STEPS) {
        estimator->speed = 0;
        estimator->edge_ticks = now_ticks;
        return 0;
    }
    estimator->idle_steps++;
    // No edge yet, so it cannot be faster than one count in the time since the last.
    uint16_t waited = now_ticks - estimator->edge_ticks;
    int16_t bound = limit(TICKS_PER_SECOND / (waited ? waited : 1));
    if (estimator->speed > bound)
        estimator->speed = bound;
    if (estimator->speed < -bound)
        estimator->speed = -bound;
    return estimator->speed;
}
