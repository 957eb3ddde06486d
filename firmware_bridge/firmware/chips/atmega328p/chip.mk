TOOLS := avr-
CHIP_FLAGS := -mmcu=atmega328p -DF_CPU=16000000UL -Os
# A test holds the deepest stack that was seen against the reserve.
FLASH_BUDGET := 12288
RAM_BUDGET := 1024
STACK_RESERVE := 320
