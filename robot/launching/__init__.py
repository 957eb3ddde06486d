"""ROS 2's YAML launch format without ROS 2's launch: read, resolved, and run.

A file is read into entities (`document`, `entity`), walked into a tree of processes
(`resolve`), and the processes are looked after until they end (`supervisor`). rclpy is not
needed: the one part that speaks ROS is a process of its own
(`reflexarc.robot.nodes.transitions`).
"""

from reflexarc.robot.launching.errors import LaunchError
from reflexarc.robot.launching.find import dds_profile, find_launch_file, launch_files
from reflexarc.robot.launching.model import Argument, Launch, Lifecycle, Process, Respawn
from reflexarc.robot.launching.resolve import resolve
from reflexarc.robot.launching.supervisor import Outcome, Supervisor
from reflexarc.robot.launching.told import Told

__all__ = [
    "Argument",
    "Launch",
    "LaunchError",
    "Lifecycle",
    "Outcome",
    "Process",
    "Respawn",
    "Supervisor",
    "Told",
    "dds_profile",
    "find_launch_file",
    "launch_files",
    "resolve",
]
