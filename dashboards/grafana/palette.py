"""Colours: the only ones that a dashboard may name, and one set for light and dark.

Series can be told apart by people who do not see all colours, and everything stands out from a
white and from a dark panel (``tests/dashboards/test_grafana_palette.py`` measures both). Alarm
colours are for alarms alone, grey is no data, and nothing is green.
"""

from __future__ import annotations

# Of people and their curves.
CURVE = "#2f77b8"
REFERENCE = "#7c6e43"
SECOND = "#823df5"
THIRD = "#cf7093"
# Grafana's own name for the theme's text colour: what was measured is ink, as on the live page.
INK = "text"

# Of alarms, with a symbol and a word beside each.
MAJOR = "#d5443c"
MODERATE = "#bf6a12"
MINOR = "#8f7d00"

NO_DATA = "#7d8893"
TRANSPARENT = "transparent"

SERIES = (CURVE, REFERENCE, SECOND, THIRD)
ALARMS = (MAJOR, MODERATE, MINOR)
ALL = frozenset({*SERIES, *ALARMS, INK, NO_DATA, TRANSPARENT})
