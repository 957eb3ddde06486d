// From reset to main(): vectors, initialised data, zeroed data.

#include <stdint.h>

extern uint32_t stack_top, data_start, data_end, data_in_flash, bss_start, bss_end;

int main(void);
void reset_read_cause(void);
void systick_handler(void);
void usart1_handler(void);

// An exception that nobody expects: what follows is up to the watchdog.
static void halt(void)
{
    for (;;)
        ;
}

void reset_handler(void)
{
    uint32_t *from = &data_in_flash;
    for (uint32_t *to = &data_start; to < &data_end;)
        *to++ = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end;)
        *to++ = 0;
    reset_read_cause();
    main();
    halt();
}

#define FIRST_INTERRUPT 16
#define INTERRUPTS 82

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const handler
    vectors[FIRST_INTERRUPT + INTERRUPTS] = {
    (handler)&stack_top,
    reset_handler,
    [2 ... 14] = halt,
    [15] = systick_handler,
    [FIRST_INTERRUPT ... FIRST_INTERRUPT + 36] = halt,
    [FIRST_INTERRUPT + 37] = usart1_handler,
    [FIRST_INTERRUPT + 38 ... FIRST_INTERRUPT + INTERRUPTS - 1] = halt,
};
