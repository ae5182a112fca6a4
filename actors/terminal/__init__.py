"""The terminal that the process of a `terminal.host` is connected with, and what its end means for the program."""

from actors.terminal.ending import Ending
from actors.terminal.outcome import Outcome, outcome_of
from actors.terminal.terminal import Terminal

__all__ = ["Ending", "Outcome", "Terminal", "outcome_of"]
