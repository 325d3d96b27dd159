"""The runs, in the order in which they are done: those on three brokers last."""

from faults.runs.fail_points import FailPoints
from faults.runs.outages import Outages
from faults.runs.published import Published
from faults.runs.random_kills import RandomKills
from faults.runs.rebalances import Rebalances
from faults.runs.replicated import Replicated
from faults.runs.slow import Slow
from faults.runs.swaps import Swaps
from faults.runs.topic_deleted import TopicDeleted

RUNS = [FailPoints, RandomKills, Rebalances, TopicDeleted, Swaps, Published, Outages, Slow, Replicated]
