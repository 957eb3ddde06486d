"""From a sentence to a plan: planners behind one protocol, and the chain that asks them."""

from reflexarc.robot.planners.base import Planner, PlannerError
from reflexarc.robot.planners.chain import Chain, Link

__all__ = ["Chain", "Link", "Planner", "PlannerError"]
