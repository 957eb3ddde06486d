from __future__ import annotations

from homes import home
from scenario_plays import play

__all__ = ["home", "play"]
