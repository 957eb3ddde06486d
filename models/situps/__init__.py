"""Sit-ups: a kinematic body that does them, and the small net that learns its phases."""
