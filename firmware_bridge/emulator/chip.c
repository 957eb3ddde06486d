#include "chip.h"

#include <stdio.h>
#include <string.h>

#include "avr_adc.h"
#include "avr_extint.h"
#include "sim_elf.h"

#define SUPPLY_MV 5000
#define RAM_START 0x100

static avr_t *chip;
static void (*core_reset)(avr_t *);
static void (*reset_listener)(void);
static unsigned long resets;
static avr_cycle_count_t held_until;

// simavr's own would sleep in real time; the main loop does the pacing.
static void no_sleep(avr_t *avr, avr_cycle_count_t cycles)
{
    (void)avr;
    (void)cycles;
}

static void on_reset(avr_t *avr)
{
    if (core_reset)
        core_reset(avr);
    resets++;
    if (reset_listener)
        reset_listener();
}

avr_t *chip_create(const char *elf_path)
{
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    if (elf_read_firmware(elf_path, &firmware) != 0 || !firmware.flashsize)
        return NULL;
    firmware.frequency = CPU_HZ;
    chip = avr_make_mcu_by_name("atmega328p");
    if (!chip)
        return NULL;
    avr_init(chip);
    avr_load_firmware(chip, &firmware);
    chip->log = LOG_ERROR;
    chip->sleep = no_sleep;
    chip->vcc = chip->avcc = chip->aref = SUPPLY_MV;
    // simavr polls an external interrupt's pin in every cycle while it is low, enabled
    // or not, and INT0 and INT1 are on encoder pins.
    avr_extint_set_strict_lvl_trig(chip, EXTINT_IRQ_OUT_INT0, 0);
    avr_extint_set_strict_lvl_trig(chip, EXTINT_IRQ_OUT_INT1, 0);
    core_reset = chip->reset;
    chip->reset = on_reset;
    avr_regbit_set(chip, chip->reset_flags.porf);
    return chip;
}

void chip_on_reset(void (*call)(void))
{
    reset_listener = call;
}

// A sleeping chip jumps to its next cycle timer: this one ends the slice.
static avr_cycle_count_t on_slice_end(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr;
    (void)when;
    (void)param;
    return 0;
}

bool chip_run(avr_cycle_count_t cycles)
{
    avr_cycle_count_t end = chip->cycle + cycles;
    avr_cycle_timer_register(chip, cycles, on_slice_end, NULL);
    while (chip->cycle < end && chip_is_alive()) {
        if (chip_is_in_reset())
            // The world outside goes on.
            chip->cycle += 1 + avr_cycle_timer_process(chip);
        else
            avr_run(chip);
    }
    return chip_is_alive();
}

void chip_reset(void)
{
    avr_reset(chip);
    avr_regbit_set(chip, chip->reset_flags.extrf);
}

void chip_brown_out(avr_cycle_count_t cycles)
{
    avr_reset(chip);
    avr_regbit_set(chip, chip->reset_flags.borf);
    uint32_t noise = chip->cycle | 1;
    for (uint32_t address = RAM_START; address <= chip->ramend; address++) {
        noise = noise * 1664525 + 1013904223; // Numerical Recipes
        chip->data[address] = noise >> 24;
    }
    held_until = chip->cycle + cycles;
}

bool chip_is_in_reset(void)
{
    return chip->cycle < held_until;
}

unsigned long chip_resets(void)
{
    return resets;
}

bool chip_is_alive(void)
{
    return chip->state != cpu_Done && chip->state != cpu_Crashed;
}

void chip_set_battery(unsigned millivolts)
{
    avr_irq_t *adc = avr_io_getirq(chip, AVR_IOCTL_ADC_GETIRQ, ADC_IRQ_ADC0 + BATTERY_ADC_CHANNEL);
    avr_raise_irq(adc, millivolts / BATTERY_DIVIDER);
}

unsigned chip_light(void)
{
    return (chip->data[REG_PORTB] & chip->data[REG_DDRB]) >> LIGHT_SHIFT & 7;
}
