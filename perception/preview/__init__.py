"""See what tasks see, while it happens: over HTTP, in a terminal, in a window."""

from reflexarc.perception.preview.server import PreviewServer
from reflexarc.perception.preview.terminal import TerminalView
from reflexarc.perception.preview.view import PreviewError, View
from reflexarc.perception.preview.window import Window, why_no_window

__all__ = ["PreviewError", "PreviewServer", "TerminalView", "View", "Window", "why_no_window"]
