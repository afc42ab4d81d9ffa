"""Acrophase watches hormone rhythms as they happen: the front door.

Research software for monitoring teams, not a medical device. It shows evidence for clinicians
and never recommends a dose.
"""

__version__ = "0.1.0"
