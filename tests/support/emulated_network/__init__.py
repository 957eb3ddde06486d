"""Several machines on one bad network, on this one: see `hosts`."""

from emulated_network.hosts import Host, Network, Program, missing, network

__all__ = ["Host", "Network", "Program", "missing", "network"]
