#include "speed_control.h"

#include <stdlib.h>

// The motor: 5500 counts/s at full duty (gain 21.6 counts/s per duty step), time
// constant 60 ms. Period T = 10 ms.
//
// Feed-forward is the inverse gain, 255 / 5500, times 256.
#define FEED_FORWARD_Q8 12
// PI that cancels the motor's pole and leaves a loop of 40 ms (lambda tuning):
// Kp = 60 ms / (21.6 * 40 ms) = 0.07, Ki * T = Kp * 10 ms / 60 ms = 0.012; times 256.
#define PROPORTIONAL_Q8 18
#define INTEGRAL_Q8 3
// The reference follows the target with 3/4 left after each step (35 ms). Feedback
// acts on the distance from the reference, so a step of the target does not wind the
// integral up while the wheel is still gaining speed.
#define REFERENCE_SHIFT 2

#define MAX_DUTY_Q8 (255L * 256)
#define REST_SPEED 60 // counts/s: 15 degrees of wheel a second

static int32_t clamp(int32_t value, int32_t limit)
{
    if (value > limit)
        return limit;
    return value < -limit ? -limit : value;
}

static int32_t feed_forward_q8(const struct speed_control *control)
{
    return (int32_t)control->target * FEED_FORWARD_Q8;
}

static void apply(struct speed_control *control)
{
    int32_t duty_q8 = clamp(feed_forward_q8(control) + control->feedback_q8, MAX_DUTY_Q8);
    control->duty = duty_q8 / 256;
}

void speed_control_reset(struct speed_control *control)
{
    *control = (struct speed_control){0};
}

void speed_control_set_target(struct speed_control *control, int16_t target)
{
    control->target = target;
    apply(control);
}

bool speed_control_is_at_rest(const struct speed_control *control, int16_t speed)
{
    return control->target == 0 && abs(speed) < REST_SPEED
        && labs(control->reference_q8) < REST_SPEED * 256L;
}

void speed_control_step(struct speed_control *control, int16_t speed)
{
    control->reference_q8 += (control->target * 256L - control->reference_q8) >> REFERENCE_SHIFT;
    if (speed_control_is_at_rest(control, speed)) {
        // Hunting for the last few counts would only heat the motor.
        speed_control_reset(control);
        return;
    }
    // The integral has learned the friction of a motion that is over: kept, it would
    // turn the wheel back.
    if (control->target == 0)
        control->integral_q8 = 0;
    int32_t error = control->reference_q8 / 256 - speed;
    int32_t proportional_q8 = error * PROPORTIONAL_Q8;
    int32_t step_q8 = error * INTEGRAL_Q8;
    int32_t wanted_q8 = feed_forward_q8(control) + proportional_q8 + control->integral_q8 + step_q8;
    // Anti-windup by conditional integration: at the limit the integral may only
    // move away from it.
    bool saturated = labs(wanted_q8) > MAX_DUTY_Q8;
    if (!saturated || (wanted_q8 > 0) != (step_q8 > 0))
        control->integral_q8 = clamp(control->integral_q8 + step_q8, MAX_DUTY_Q8);
    control->feedback_q8 = proportional_q8 + control->integral_q8;
    apply(control);
}
