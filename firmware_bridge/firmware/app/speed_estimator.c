#include "speed_estimator.h"

#include <stdbool.h>
#include <stdlib.h>

#define US_PER_SECOND 1000000L
#define STEPS_PER_SECOND 100
// Closer edges are bounce or a turn-round, and would look like a very fast wheel.
#define SHORTEST_US 1000
// More in a period and the product would overflow; no wheel makes them.
#define MOST_COUNTS 2000
// No count for 100 ms: below 10 counts/s, call it standing.
#define IDLE_STEPS 10

static int16_t limit(int32_t speed)
{
    if (speed > INT16_MAX)
        return INT16_MAX;
    return speed < -INT16_MAX ? -INT16_MAX : speed;
}

int16_t speed_estimator_step(
    struct speed_estimator *estimator, int32_t count, uint32_t edge_us, uint32_t now_us)
{
    int32_t counts = count - estimator->count;
    if (counts) {
        uint32_t us = edge_us - estimator->edge_us;
        bool plain = us < SHORTEST_US || labs(counts) > MOST_COUNTS;
        estimator->speed = limit(
            plain ? counts * STEPS_PER_SECOND : counts * US_PER_SECOND / (int32_t)us);
        estimator->count = count;
        estimator->edge_us = edge_us;
        estimator->idle_steps = 0;
        return estimator->speed;
    }
    if (estimator->idle_steps >= IDLE_STEPS) {
        estimator->speed = 0;
        estimator->edge_us = now_us;
        return 0;
    }
    estimator->idle_steps++;
    // No count yet, so it cannot be faster than one in the time since the last.
    uint32_t waited = now_us - estimator->edge_us;
    int16_t bound = limit(US_PER_SECOND / (int32_t)(waited ? waited : 1));
    if (estimator->speed > bound)
        estimator->speed = bound;
    if (estimator->speed < -bound)
        estimator->speed = -bound;
    return estimator->speed;
}
