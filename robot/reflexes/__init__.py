"""Reflexes: rules that run at frame rate, without a planner."""

from reflexarc.robot.reflexes.book import Rule, RuleBook, RuleError
from reflexarc.robot.reflexes.engine import Firing, ReflexEngine
from reflexarc.robot.reflexes.events import EVENTS, Feeling, task_of
from reflexarc.robot.reflexes.rule import Reflex

__all__ = [
    "EVENTS",
    "Feeling",
    "Firing",
    "Reflex",
    "ReflexEngine",
    "Rule",
    "RuleBook",
    "RuleError",
    "task_of",
]
