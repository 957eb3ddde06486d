"""Skills: how each action is really done, with feedback, and cancelled at any step."""

from __future__ import annotations

from reflexarc.robot.actions import (
    Basic,
    Count,
    Follow,
    Gesture,
    Grip,
    Light,
    Look,
    Move,
    Report,
    Say,
    Turn,
    Wait,
)
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.skills import brief, posture
from reflexarc.robot.skills.base import NOTHING, Part, Senses, Skill, SkillError, Wish
from reflexarc.robot.skills.count import Counting
from reflexarc.robot.skills.follow import Following
from reflexarc.robot.skills.report import Reporting
from reflexarc.robot.skills.roll import Roll, Travel, roll_for
from reflexarc.robot.words import Language

__all__ = [
    "NOTHING",
    "Part",
    "Roll",
    "Senses",
    "Skill",
    "SkillError",
    "Travel",
    "Wish",
    "roll_for",
    "skill_for",
]


def skill_for(action: Basic, config: RobotConfig, language: Language = "en") -> Skill:
    """The skill that does `action`. "stop" is no skill: it ends them."""
    match action:
        case Move() | Turn():
            return roll_for(action, config.limits, config.geometry)
        case Look():
            return posture.look(action, config.limits)
        case Grip():
            return posture.grip(action, config.limits)
        case Gesture():
            return posture.gesture(action, config.limits)
        case Follow():
            return Following(action, config.limits, config.geometry, config.camera)
        case Light():
            return brief.light(action)
        case Say():
            return brief.say(action)
        case Wait():
            return brief.wait(action)
        case Count():
            return Counting(action, language)
        case Report():
            return Reporting(action, language)
    raise ValueError(f"{action} is no skill")
