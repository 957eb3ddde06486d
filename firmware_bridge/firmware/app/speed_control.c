#include "speed_control.h"

#include <stdlib.h>

#include "reflexarc_bp.h"

// The reference follows the target with 3/4 left after each step (35 ms). Feedback
// acts on the distance from the reference, so a step of the target does not wind the
// integral up while the wheel is still gaining speed.
#define REFERENCE_SHIFT 2

#define MAX_DUTY_Q12 ((int32_t)MAX_DUTY << 12)

static int32_t clamp(int32_t value, int32_t limit)
{
    if (value > limit)
        return limit;
    return value < -limit ? -limit : value;
}

// Towards 0, the same for both directions. A division would take 40 us, and a shift by 12
// goes bit by bit.
static int16_t divide_by_256(int32_t value)
{
    return value < 0 ? -(-value >> 8) : value >> 8;
}

static int16_t divide_by_16(int16_t value)
{
    return value < 0 ? -(-value >> 4) : value >> 4;
}

static int32_t feed_forward_q12(const struct speed_control *control, const struct gains *gains)
{
    return (int32_t)control->target * gains->feed_forward;
}

static void apply(struct speed_control *control, const struct gains *gains)
{
    int32_t duty_q12 = feed_forward_q12(control, gains) + control->feedback_q12;
    control->duty = divide_by_16(divide_by_256(clamp(duty_q12, MAX_DUTY_Q12)));
}

void speed_control_reset(struct speed_control *control)
{
    *control = (struct speed_control){0};
}

void speed_control_set_target(
    struct speed_control *control, const struct gains *gains, int16_t target)
{
    control->target = target;
    apply(control, gains);
}

bool speed_control_is_at_rest(const struct speed_control *control, int16_t speed)
{
    return control->target == 0 && abs(speed) < REST_SPEED
        && labs(control->reference_q8) < REST_SPEED * 256L;
}

void speed_control_step(struct speed_control *control, const struct gains *gains, int16_t speed)
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
        control->integral_q12 = 0;
    int32_t error = (int32_t)divide_by_256(control->reference_q8) - speed;
    int32_t proportional_q12 = error * gains->proportional;
    int32_t step_q12 = error * gains->integral;
    int32_t wanted_q12
        = feed_forward_q12(control, gains) + proportional_q12 + control->integral_q12 + step_q12;
    // Anti-windup by conditional integration: at the limit the integral may only
    // move away from it.
    bool saturated = labs(wanted_q12) > MAX_DUTY_Q12;
    if (!saturated || (wanted_q12 > 0) != (step_q12 > 0))
        control->integral_q12 = clamp(control->integral_q12 + step_q12, MAX_DUTY_Q12);
    control->feedback_q12 = proportional_q12 + control->integral_q12;
    apply(control, gains);
}
