#include "settings_store.h"

#include "crc16.h"
#include "hal.h"
#include "settings.h"

// Raised when the layout changes: settings of another are as good as none.
#define VERSION 1
#define ERASED 0xFF

#define SETTINGS_SIZE (BYTES_LENGTH_DRIVE_SETTINGS + BYTES_LENGTH_SERVO_SETTINGS)
#define CRC_AT (2 + SETTINGS_SIZE)
#define SLOT_SIZE (CRC_AT + CRC16_SIZE)
#define SLOTS 2
#define SLOT_DISTANCE 64

_Static_assert(SLOT_SIZE <= SLOT_DISTANCE, "a slot grew over the next one");
_Static_assert(SLOTS * SLOT_DISTANCE <= CHIP_NONVOLATILE_SIZE, "no room for the slots");

struct slot {
    uint8_t version;
    uint8_t sequence;
    uint8_t settings[SETTINGS_SIZE];
    uint8_t crc[CRC16_SIZE];
};

_Static_assert(sizeof(struct slot) == SLOT_SIZE, "a slot is bytes without gaps");

static uint8_t newest_slot, newest_sequence;
// The next step of a save: 0 invalidates, then a byte each, and the version at last.
static uint8_t step;
static bool saving;

static uint16_t slot_crc(const struct slot *slot)
{
    return crc16((const uint8_t *)slot, CRC_AT);
}

static void read_slot(uint8_t index, struct slot *slot)
{
    uint8_t *bytes = (uint8_t *)slot;
    for (uint8_t i = 0; i < SLOT_SIZE; i++)
        bytes[i] = hal_nonvolatile_read(index * SLOT_DISTANCE + i);
}

static bool take_slot(uint8_t index)
{
    struct slot slot;
    struct DriveSettings drive;
    struct ServoSettings servos;
    read_slot(index, &slot);
    if (slot.version != VERSION || slot_crc(&slot) != (slot.crc[0] | (uint16_t)slot.crc[1] << 8))
        return false;
    DecodeDriveSettings(&drive, slot.settings);
    DecodeServoSettings(&servos, slot.settings + BYTES_LENGTH_DRIVE_SETTINGS);
    if (!settings_set_drive(&drive) || !settings_set_servos(&servos))
        return false;
    newest_slot = index;
    newest_sequence = slot.sequence;
    return true;
}

uint8_t settings_load(void)
{
    uint8_t sequences[SLOTS], found = 0;
    settings_take_defaults();
    for (uint8_t index = 0; index < SLOTS; index++) {
        sequences[index] = hal_nonvolatile_read(index * SLOT_DISTANCE + 1);
        found |= hal_nonvolatile_read(index * SLOT_DISTANCE) != ERASED;
    }
    uint8_t newer = (int8_t)(sequences[1] - sequences[0]) > 0;
    if (take_slot(newer) || take_slot(!newer))
        return SETTINGS_SOURCE_SAVED;
    // One half of a slot may have been taken.
    settings_take_defaults();
    return found ? SETTINGS_SOURCE_CORRUPT : SETTINGS_SOURCE_EMPTY;
}

void settings_save(void)
{
    step = 0;
    saving = true;
}

bool settings_is_saving(void)
{
    return saving;
}

// Settings do not change while they are saved, so they need no copy.
static void make_slot(struct slot *slot)
{
    slot->version = VERSION;
    slot->sequence = newest_sequence + 1;
    EncodeDriveSettings(&drive_settings, slot->settings);
    EncodeServoSettings(&servo_settings, slot->settings + BYTES_LENGTH_DRIVE_SETTINGS);
    uint16_t crc = slot_crc(slot);
    slot->crc[0] = crc & 0xFF;
    slot->crc[1] = crc >> 8;
}

void settings_save_step(void)
{
    struct slot slot;
    uint8_t target = !newest_slot, base = target * SLOT_DISTANCE, byte = ERASED;
    if (!saving || hal_nonvolatile_is_busy())
        return;
    if (step > SLOT_SIZE) {
        newest_slot = target;
        newest_sequence++;
        saving = false;
        return;
    }
    if (step) {
        make_slot(&slot);
        byte = ((uint8_t *)&slot)[step % SLOT_SIZE];
    }
    // Cells wear out with writing, and not with reading.
    uint8_t address = base + step % SLOT_SIZE;
    if (hal_nonvolatile_read(address) != byte)
        hal_nonvolatile_write(address, byte);
    step++;
}
