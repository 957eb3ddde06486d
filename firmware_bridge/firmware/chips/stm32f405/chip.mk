# arm-none-eabi-gcc, newlib's headers; no start files but our own.
TOOLS := arm-none-eabi-
FLASH_BUDGET := 16384
RAM_BUDGET := 16384
STACK_RESERVE := 8192
CHIP_FLAGS := -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -O2 -nostartfiles \
	-Tchips/stm32f405/stm32f405.ld
