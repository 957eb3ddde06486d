#include "wheel_guard.h"

#include <stdbool.h>
#include <stdlib.h>

#define DRIVEN_DUTY 40
#define FAST_SPEED 800
#define SILENT_PERIODS 3
#define VAIN_EDGES 4
#define VAIN_PERIODS 3

#define PUSHED_DUTY 153
#define PUSHED_PERIODS 40
#define PUSHED_COUNTS 20

#define AGAINST_SPEED 600
#define AGAINST_DUTY 76
#define AGAINST_PERIODS 5

void wheel_guard_reset(struct wheel_guard *guard)
{
    *guard = (struct wheel_guard){0};
}

static bool same_way(int16_t a, int16_t b)
{
    return (a > 0 && b > 0) || (a < 0 && b < 0);
}

static bool falls_silent(struct wheel_guard *guard, const struct wheel_motion *motion)
{
    bool suspect = abs(guard->edge_speed) >= FAST_SPEED && abs(motion->duty) >= DRIVEN_DUTY
        && same_way(motion->duty, guard->edge_speed);
    if (motion->edges || !suspect) {
        int16_t speed = motion->edges ? motion->speed : 0;
        // The last edges' period may have been cut short, and look slow.
        guard->edge_speed = abs(speed) > abs(guard->speed_before) ? speed : guard->speed_before;
        guard->speed_before = speed;
        guard->silent = 0;
        return false;
    }
    return ++guard->silent >= SILENT_PERIODS;
}

// A dead channel leaves the other's edges, which count one forward, one back.
static bool counts_in_vain(struct wheel_guard *guard, const struct wheel_motion *motion)
{
    if (motion->edges < VAIN_EDGES || abs(motion->counts) > 1
        || abs(motion->duty) < DRIVEN_DUTY) {
        guard->vain = 0;
        return false;
    }
    return ++guard->vain >= VAIN_PERIODS;
}

static bool stalls(struct wheel_guard *guard, const struct wheel_motion *motion)
{
    guard->pushed_counts += motion->counts;
    if (abs(motion->duty) <= PUSHED_DUTY || abs(guard->pushed_counts) >= PUSHED_COUNTS) {
        guard->pushed = 0;
        guard->pushed_counts = 0;
        return false;
    }
    return ++guard->pushed >= PUSHED_PERIODS;
}

static bool runs_away(struct wheel_guard *guard, const struct wheel_motion *motion)
{
    bool against = abs(motion->speed) >= AGAINST_SPEED && abs(motion->duty) >= AGAINST_DUTY
        && !same_way(motion->duty, motion->speed) && !same_way(motion->target, motion->speed);
    int16_t before = abs(guard->against_speed);
    if (!against || abs(motion->speed) < before - before / 16) {
        guard->against = 0;
        guard->against_speed = against ? motion->speed : 0;
        return false;
    }
    if (!guard->against_speed)
        guard->against_speed = motion->speed;
    return ++guard->against >= AGAINST_PERIODS;
}

uint8_t wheel_guard_step(struct wheel_guard *guard, const struct wheel_motion *motion)
{
    return (falls_silent(guard, motion) ? WHEEL_ENCODER_LOST : 0)
        | (counts_in_vain(guard, motion) ? WHEEL_ENCODER_LOST : 0)
        | (stalls(guard, motion) ? WHEEL_STALLED : 0)
        | (runs_away(guard, motion) ? WHEEL_RUNS_AWAY : 0);
}
