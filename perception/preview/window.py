"""A view in a window, where OpenCV was built with one and a display is there."""

from __future__ import annotations

import os
import sys

import cv2

from reflexarc.perception.preview.view import View

_KEYS = {ord("q"), 27}


def why_no_window() -> str:
    """What is missing for a window; empty if nothing."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "no display"
    gui = next(
        (line for line in cv2.getBuildInformation().splitlines() if "GUI:" in line), "GUI: NONE"
    )
    if gui.split(":")[1].strip() == "NONE":
        return "an OpenCV without windows (opencv-python-headless)"
    return ""


class Window:
    """Shows views. The keys q and Esc, or closing it, set `ended`."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._is_sized = False
        self.ended = False
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)

    def show(self, view: View) -> None:
        """Show it, and listen to the keyboard for a moment."""
        if not self._is_sized:
            height, width = view.frame.image.shape[:2]
            cv2.resizeWindow(self._title, width, height)
            self._is_sized = True
        cv2.imshow(self._title, cv2.cvtColor(view.drawn, cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(1) & 0xFF
        is_open = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        self.ended = self.ended or key in _KEYS or not is_open

    def close(self) -> None:
        """Close the window."""
        cv2.destroyAllWindows()
