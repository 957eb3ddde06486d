#include "eeprom.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "avr_eeprom.h"

#define SIZE 1024

static avr_t *chip;
static const char *path;
static uint8_t saved[SIZE];

static uint8_t *content(void)
{
    avr_eeprom_desc_t all = {.ee = NULL, .offset = 0, .size = SIZE};
    avr_ioctl(chip, AVR_IOCTL_EEPROM_GET, &all);
    return all.ee;
}

bool eeprom_init(avr_t *avr, const char *file_path)
{
    chip = avr;
    path = file_path;
    FILE *file = fopen(path, "rb");
    if (!file)
        return errno == ENOENT;
    memset(saved, 0xFF, SIZE);
    size_t length = fread(saved, 1, SIZE, file);
    fclose(file);
    avr_eeprom_desc_t all = {.ee = saved, .offset = 0, .size = length};
    avr_ioctl(chip, AVR_IOCTL_EEPROM_SET, &all);
    return true;
}

void eeprom_save(void)
{
    if (!path || !memcmp(saved, content(), SIZE))
        return;
    memcpy(saved, content(), SIZE);
    char fresh[strlen(path) + 5];
    sprintf(fresh, "%s.new", path);
    FILE *file = fopen(fresh, "wb");
    if (!file)
        return perror(fresh);
    bool whole = fwrite(saved, 1, SIZE, file) == SIZE;
    if (fclose(file) || !whole || rename(fresh, path))
        perror(path);
}
