"""Parameters that several checks of traffic have in common."""

from __future__ import annotations

from fraud.domain.catalogue.spec import Parameter

SUPPORT = Parameter(name="minimum_clicks", meaning="Clicks before the share says anything", unit="clicks")
GRAPH_EVIDENCE = Parameter(name="minimum_evidence", meaning="Evidence against chance in the whole program", unit="-log10 p")
HIGH = Parameter(name="high_share", meaning="Lower bound (5%) of the share from which the finding is grave", unit="share")
CONVERSIONS = Parameter(name="minimum_conversions", meaning="Conversions before the share says anything", unit="conversions")
SHARE = Parameter(name="minimum_share", meaning="Lower bound (5%) of the share", unit="share")
EVENTS = Parameter(name="minimum_events", meaning="Events of the kind before it is named", unit="events")
Z = Parameter(name="minimum_z", meaning="Distance from peers", unit="robust standard deviations")
MARKS = Parameter(name="minimum_marks", meaning="Marks that must stand out", unit="marks")
HIGH_MARKS = Parameter(name="high_marks", meaning="Marks from which the finding is grave", unit="marks")
