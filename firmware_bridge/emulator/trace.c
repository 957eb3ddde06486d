#include "trace.h"

#define RING_SIZE 8192 // a power of two

static struct motor_event motor_ring[RING_SIZE];
static struct frame_event frame_ring[RING_SIZE];
static struct pin_event pin_ring[RING_SIZE];
static unsigned long motor_head, motor_tail, frame_head, frame_tail, pin_head, pin_tail, lost;

static void make_room(unsigned long head, unsigned long *tail)
{
    if (head - *tail == RING_SIZE) {
        ++*tail;
        lost++;
    }
}

void trace_motor(const struct motor_event *event)
{
    make_room(motor_head, &motor_tail);
    motor_ring[motor_head++ % RING_SIZE] = *event;
}

void trace_frame(const struct frame_event *event)
{
    make_room(frame_head, &frame_tail);
    frame_ring[frame_head++ % RING_SIZE] = *event;
}

void trace_pin(const struct pin_event *event)
{
    make_room(pin_head, &pin_tail);
    pin_ring[pin_head++ % RING_SIZE] = *event;
}

bool trace_next_motor(struct motor_event *event)
{
    if (motor_head == motor_tail)
        return false;
    *event = motor_ring[motor_tail++ % RING_SIZE];
    return true;
}

bool trace_next_frame(struct frame_event *event)
{
    if (frame_head == frame_tail)
        return false;
    *event = frame_ring[frame_tail++ % RING_SIZE];
    return true;
}

bool trace_next_pin(struct pin_event *event)
{
    if (pin_head == pin_tail)
        return false;
    *event = pin_ring[pin_tail++ % RING_SIZE];
    return true;
}

unsigned long trace_lost(void)
{
    return lost;
}
