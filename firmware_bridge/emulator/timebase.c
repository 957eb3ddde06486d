#include "timebase.h"

#include <time.h>

// A machine that was away for longer than this does not catch up: the chip would
// run at full speed and its time-outs would come in a burst.
#define MAX_LAG_NS 50000000LL

static avr_t *chip;
static double ns_per_cycle; // 0: not paced
static int64_t start_ns;
static avr_cycle_count_t start_cycle;

int64_t timebase_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void restart(void)
{
    start_ns = timebase_now_ns();
    start_cycle = chip->cycle;
}

void timebase_init(avr_t *avr, double speed)
{
    chip = avr;
    ns_per_cycle = speed > 0 ? 1e9 / (CPU_HZ * speed) : 0;
    restart();
}

static int64_t due_ns(avr_cycle_count_t cycle)
{
    return start_ns + (int64_t)((double)(int64_t)(cycle - start_cycle) * ns_per_cycle);
}

int64_t timebase_wall_ns(avr_cycle_count_t cycle)
{
    int64_t now = timebase_now_ns();
    if (ns_per_cycle == 0)
        return now;
    int64_t due = due_ns(cycle);
    return due > now ? due : now;
}

void timebase_wait(void)
{
    if (ns_per_cycle == 0)
        return;
    int64_t due = due_ns(chip->cycle);
    int64_t lag = timebase_now_ns() - due;
    if (lag > MAX_LAG_NS) {
        restart();
    } else if (lag < 0) {
        struct timespec until = {due / 1000000000LL, due % 1000000000LL};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
}
