"""Draw what tasks said onto the picture that they said it of."""

from reflexarc.perception.overlay.draw import HasMarks, Marks, draw, marks_of
from reflexarc.perception.overlay.skeleton import draw_body

__all__ = ["HasMarks", "Marks", "draw", "draw_body", "marks_of"]
