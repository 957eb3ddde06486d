"""Our own planner: English and Chinese orders, mixed, on the device, in milliseconds."""

from reflexarc.robot.planners.parser.opened import open_parser
from reflexarc.robot.planners.parser.parser import Parser

__all__ = ["Parser", "open_parser"]
