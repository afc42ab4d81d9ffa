"""Markers for the store and for Kafka."""

from __future__ import annotations

from collections.abc import Iterable

from processors.engine_port import OutMessage, Outputs
from processors.markers.dated import Dated, midnight
from schemas.measurements import MARKER
from schemas.results import Marker
from schemas.topics import MARKERS


def say(site: str, subject: str, found: Iterable[Dated], outputs: Outputs) -> None:
    """Publish the markers of one person."""
    rows = []
    for dated in found:
        marker = dated.marker
        result = Marker(
            site=site,
            subject=subject,
            analyte=dated.analyte,
            time=midnight(dated.day),
            marker=marker.name,
            status=marker.status,
            value=marker.value,
            unit=marker.unit,
            low=marker.low,
            high=marker.high,
            n=marker.n,
            sentence=marker.sentence,
            method=marker.method,
        )
        rows.append(MARKER.row(result))
        key = f"{subject}|{dated.analyte}|{marker.name}|{result.time:%Y-%m-%d}"
        outputs.messages.append(
            OutMessage(MARKERS.name, key.encode(), result.model_dump_json().encode())
        )
    outputs.add(MARKER, rows)
