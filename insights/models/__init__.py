"""What was learnt from what was published: results, counts, topics, and what was suggested."""

from insights.models.publication import AccountCounts, CountSnapshot, Outcome, Publication
from insights.models.report import KeptReport
from insights.models.standing import TopicAccount, TopicSectorDay, TopicStanding
from insights.models.suggestion import SuggestedTopic, Suggestion
from insights.models.topic import BlockedTopic, PublicationTopic, Topic, TopicDay

__all__ = [
    "AccountCounts",
    "BlockedTopic",
    "CountSnapshot",
    "KeptReport",
    "Outcome",
    "Publication",
    "PublicationTopic",
    "SuggestedTopic",
    "Suggestion",
    "Topic",
    "TopicAccount",
    "TopicDay",
    "TopicSectorDay",
    "TopicStanding",
]
