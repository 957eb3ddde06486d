"""The robot's knowledge: documents, asked in plain language, answered by quotation."""

from reflexarc.robot.knowledge.base import Answer, Changes, KnowledgeBase, Quote, default_store
from reflexarc.robot.knowledge.documents import DocumentError
from reflexarc.robot.knowledge.store import KnowledgeError

__all__ = [
    "Answer",
    "Changes",
    "DocumentError",
    "KnowledgeBase",
    "KnowledgeError",
    "Quote",
    "default_store",
]
