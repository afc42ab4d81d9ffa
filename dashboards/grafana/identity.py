"""What links hold on to: UIDs that never change, and the tag of all dashboards."""

from __future__ import annotations

TAG = "acrophase"
FOLDER = "Acrophase"
FOLDER_UID = "acrophase"

COHORT_UID = "acrophase-cohort"
SUBJECT_UID = "acrophase-subject"
ALERTS_UID = "acrophase-alerts"
PIPELINE_UID = "acrophase-pipeline"
PLAYLIST_UID = "acrophase-wall"

DISCLAIMER = (
    "Research software for monitoring teams, not a medical device: it shows evidence and never "
    "recommends a dose."
)
