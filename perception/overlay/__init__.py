"""Draw what tasks said onto the picture that they said it of."""

from reflexarc.perception.overlay.draw import Marks, draw
from reflexarc.perception.overlay.skeleton import draw_body

__all__ = ["Marks", "draw", "draw_body"]
