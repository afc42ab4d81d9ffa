"""From the kernel's transitions to deviations and alerts, in words.

A transition that opens makes a deviation and, unless it is retrospective, explained by a dose or
a single reading of a dense analyte, an alert. The one that ends it gives both their end. Both
are keyed by subject, analyte, kind, direction and onset, so writing them again changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.deviations.explain import TakenDose, explanation
from processors.deviations.kinds import KINDS, direction
from processors.deviations.transitions import (
    T_EFFECT,
    T_EXPECTED,
    T_HIGH,
    T_KIND,
    T_LIVE,
    T_LOW,
    T_N,
    T_OBSERVED,
    T_ONSET,
    T_OPENS,
    T_SIGN,
    T_THRESHOLD,
    T_TIME,
    T_WINDOW_D,
    T_Z,
)
from processors.deviations.wording import Evidence, reason, severity
from processors.engine.results import HOUR_MS, finite
from processors.engine.series import Series
from processors.engine_port import OutMessage, Outputs
from schemas.measurements import ALERT, DEVIATION
from schemas.results import Alert, Deviation, DeviationKind
from schemas.topics import ALERTS, DEVIATIONS

_EPOCH = datetime.fromtimestamp(0, UTC)


def moment(hours: float) -> datetime:
    """A time of the kernel (hours since 1970 UTC), to the millisecond."""
    return _EPOCH + timedelta(milliseconds=round(hours * HOUR_MS))


def apply(
    series: Series, transition: NDArray[np.float64], doses: list[TakenDose], outputs: Outputs
) -> None:
    """Publish one transition and keep what is open in the series."""
    kind = KINDS[int(transition[T_KIND])]
    if transition[T_OPENS] > 0.0:
        deviation = _opened(series, transition, doses)
        found: dict[str, Deviation | Alert] = {"deviation": deviation}
        if not (deviation.retrospective or deviation.explained_by):
            found["alert"] = Alert(
                **_head(deviation),
                kind=kind,
                direction=deviation.direction,
                state="open",
                severity=deviation.severity,
                updated_at=deviation.time,
                reason=deviation.reason,
            )
    else:
        open_now = series.open.pop(kind.value, None)
        if open_now is None:
            return
        ended = moment(transition[T_TIME])
        deviation = Deviation.model_validate(open_now["deviation"] | {"ended_at": ended})
        found = {"deviation": deviation}
        if "alert" in open_now:
            found["alert"] = Alert.model_validate(
                open_now["alert"] | {"state": "resolved", "updated_at": ended, "resolved_at": ended}
            )
    if transition[T_OPENS] > 0.0:
        series.open[kind.value] = {
            name: item.model_dump(mode="json") for name, item in found.items()
        }
    _publish(deviation, found.get("alert"), outputs)


def _head(deviation: Deviation) -> dict[str, Any]:
    return deviation.model_dump(include={"site", "subject", "analyte", "time"})


def _opened(series: Series, t: NDArray[np.float64], doses: list[TakenDose]) -> Deviation:
    kind = KINDS[int(t[T_KIND])]
    way = direction(int(t[T_KIND]), float(t[T_SIGN]))
    evidence = Evidence(
        z=float(t[T_Z]),
        threshold=float(t[T_THRESHOLD]),
        effect=finite(t[T_EFFECT]),
        low=finite(t[T_LOW]),
        high=finite(t[T_HIGH]),
        observed=finite(t[T_OBSERVED]),
        expected=finite(t[T_EXPECTED]),
        n_effective=float(t[T_N]),
        window_d=finite(t[T_WINDOW_D]),
    )
    onset_ms = round(float(t[T_ONSET]) * HOUR_MS)
    return Deviation(
        site=series.site,
        subject=series.subject,
        analyte=series.analyte.slug,
        time=moment(float(t[T_ONSET])),
        kind=kind,
        direction=way,
        severity=severity(series.analyte, kind, evidence),
        z=evidence.z,
        threshold=evidence.threshold,
        effect=evidence.effect,
        effect_low=evidence.low,
        effect_high=evidence.high,
        n_effective=evidence.n_effective,
        retrospective=not t[T_LIVE] > 0.0,
        explained_by=None
        if kind is DeviationKind.MISSING  # no dose silences a device
        else explanation(series.analyte.slug, onset_ms, doses),
        reason=reason(series.analyte, kind, way, evidence),
    )


def _publish(deviation: Deviation, alert: Deviation | Alert | None, outputs: Outputs) -> None:
    series_key = f"{deviation.subject}|{deviation.analyte}"
    outputs.add(DEVIATION, [DEVIATION.row(deviation)])
    outputs.messages.append(
        OutMessage(DEVIATIONS.name, series_key.encode(), deviation.model_dump_json().encode())
    )
    if alert is not None:
        key = f"{series_key}|{deviation.kind.value}|{deviation.direction}"
        outputs.add(ALERT, [ALERT.row(alert)])
        outputs.messages.append(
            OutMessage(ALERTS.name, key.encode(), alert.model_dump_json().encode())
        )
