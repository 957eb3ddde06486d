#include "vcd.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

// A cycle is 62.5 ns.
#define UNITS_PER_CYCLE 625
#define FIRST_CODE '!'

static const struct {
    const char *name;
    struct pin pin;
} signals[] = {
    {"left_pwm", {'D', 5}},    {"left_direction", {'D', 4}},  {"right_pwm", {'D', 6}},
    {"right_direction", {'D', 7}}, {"left_encoder_a", {'D', 2}}, {"left_encoder_b", {'D', 3}},
    {"right_encoder_a", {'C', 2}}, {"right_encoder_b", {'C', 3}}, {"pan", {'B', 1}},
    {"tilt", {'B', 2}},        {"gripper", {'C', 1}},         {"light_red", {'B', 3}},
    {"light_green", {'B', 4}}, {"light_blue", {'B', 5}},      {"range", {'B', 0}},
    {"bump", {'C', 4}},        {"emergency_stop", {'C', 5}},
};
#define SIGNALS (sizeof signals / sizeof *signals)

static avr_t *chip;
static FILE *file;
static avr_cycle_count_t written_cycle;

bool vcd_open(avr_t *avr, const char *path)
{
    chip = avr;
    file = fopen(path, "w");
    if (!file)
        return false;
    fprintf(file, "$timescale 100 ps $end\n$scope module rover $end\n");
    for (size_t i = 0; i < SIGNALS; i++)
        fprintf(file, "$var wire 1 %c %s $end\n", (int)(FIRST_CODE + i), signals[i].name);
    fprintf(file, "$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\n");
    for (size_t i = 0; i < SIGNALS; i++)
        fprintf(file, "0%c\n", (int)(FIRST_CODE + i));
    fprintf(file, "$end\n");
    return true;
}

void vcd_change(struct pin pin, bool high)
{
    if (!file)
        return;
    for (size_t i = 0; i < SIGNALS; i++) {
        if (signals[i].pin.port != pin.port || signals[i].pin.bit != pin.bit)
            continue;
        if (written_cycle != chip->cycle)
            fprintf(file, "#%" PRIu64 "\n", (uint64_t)chip->cycle * UNITS_PER_CYCLE);
        written_cycle = chip->cycle;
        fprintf(file, "%d%c\n", high, (int)(FIRST_CODE + i));
    }
}

void vcd_close(void)
{
    if (!file)
        return;
    fprintf(file, "#%" PRIu64 "\n", (uint64_t)chip->cycle * UNITS_PER_CYCLE);
    fclose(file);
    file = NULL;
}
