// The registers that are used, by their names in the reference manual (RM0090).
#pragma once

#include <stdint.h>

#define REGISTER volatile uint32_t
#define BIT(n) (1UL << (n))

struct gpio {
    REGISTER MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR, AFR[2];
};
#define GPIOA ((struct gpio *)0x40020000)
#define GPIOB ((struct gpio *)0x40020400)

struct rcc {
    REGISTER CR, PLLCFGR, CFGR, CIR, AHB1RSTR, AHB2RSTR, AHB3RSTR, unused0, APB1RSTR, APB2RSTR,
        unused1[2], AHB1ENR, AHB2ENR, AHB3ENR, unused2, APB1ENR, APB2ENR, unused3[2], AHB1LPENR,
        AHB2LPENR, AHB3LPENR, unused4, APB1LPENR, APB2LPENR, unused5[2], BDCR, CSR;
};
#define RCC ((struct rcc *)0x40023800)

struct flash_interface {
    REGISTER ACR;
};
#define FLASH_INTERFACE ((struct flash_interface *)0x40023C00)

struct usart {
    REGISTER SR, DR, BRR, CR1, CR2, CR3, GTPR;
};
#define USART1 ((struct usart *)0x40011000)
#define USART1_IRQ 37

struct timer {
    REGISTER CR1, CR2, SMCR, DIER, SR, EGR, CCMR1, CCMR2, CCER, CNT, PSC, ARR, RCR, CCR[4], BDTR;
};
#define TIM3 ((struct timer *)0x40000400)
#define TIM4 ((struct timer *)0x40000800)

struct iwdg {
    REGISTER KR, PR, RLR, SR;
};
#define IWDG ((struct iwdg *)0x40003000)

// Of the core (ARMv7-M).
struct systick {
    REGISTER CTRL, LOAD, VAL;
};
#define SYSTICK ((struct systick *)0xE000E010)
#define NVIC_ISER ((REGISTER *)0xE000E100)
#define SCB_ICSR (*(REGISTER *)0xE000ED04)
#define SCB_AIRCR (*(REGISTER *)0xE000ED0C)
