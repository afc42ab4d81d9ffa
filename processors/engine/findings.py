"""From the kernel's transitions to deviations and alerts, in words.

A transition that opens makes a deviation and, unless it is retrospective or explained, an alert.
The one that ends it gives both their end. In between, the kernel tells at each test that it still
stands: one that has outlasted what explained it makes its alert then. Deviation and alert are keyed
by subject, analyte, kind, direction and onset, so writing them again changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.deviations.explain import Departure, explained, outlasts
from processors.deviations.kinds import KINDS, direction
from processors.deviations.transitions import (
    ENDS,
    STANDS,
    T_EFFECT,
    T_EXPECTED,
    T_HIGH,
    T_JOURNEYS,
    T_KIND,
    T_LIVE,
    T_LOW,
    T_N,
    T_OBSERVED,
    T_ONSET,
    T_OPENS,
    T_REST,
    T_SETTLED,
    T_SIGN,
    T_THRESHOLD,
    T_TIME,
    T_WINDOW_D,
    T_WINDOWS,
    T_Z,
)
from processors.deviations.wording import Evidence, reason, severity
from processors.engine.results import HOUR_MS, finite
from processors.engine.series import Series
from processors.engine.state import Person
from processors.engine_port import OutMessage, Outputs
from processors.rhythm.layout import JOURNEYS_SIZE
from processors.rhythm.reentrainment import flights
from schemas.measurements import ALERT, DEVIATION
from schemas.results import Alert, Deviation, DeviationKind
from schemas.topics import ALERTS, DEVIATIONS

_EPOCH = datetime.fromtimestamp(0, UTC)
# Means of days change little sooner.
_LOOK_AGAIN_H = 3.0


def moment(hours: float) -> datetime:
    """A time of the kernel (hours since 1970 UTC), to the millisecond."""
    return _EPOCH + timedelta(milliseconds=round(hours * HOUR_MS))


def apply(
    series: Series, transition: NDArray[np.float64], person: Person, outputs: Outputs
) -> None:
    """Publish one transition and keep what is open in the series."""
    kind = KINDS[int(transition[T_KIND])]
    if transition[T_OPENS] == STANDS:
        _stands(series, kind, transition, person, outputs)
    elif transition[T_OPENS] == ENDS:
        _ended(series, kind, transition, outputs)
    else:
        deviation = _opened(series, transition)
        found = explained(
            series.analyte.slug, _departure(transition), person.doses, person.illnesses
        )
        alert = None
        if found is not None:
            deviation = deviation.model_copy(update={"explained_by": found.words})
        elif not deviation.retrospective:
            alert = _alert(deviation, deviation.time)
        series.open[kind.value] = _kept(deviation, alert)
        if found is not None and not deviation.retrospective:
            series.open[kind.value]["explained"] = [float(transition[T_TIME]), found.until_h]
        _publish(deviation, alert, outputs)


def _stands(
    series: Series,
    kind: DeviationKind,
    transition: NDArray[np.float64],
    person: Person,
    outputs: Outputs,
) -> None:
    """Look again at an explained deviation that is still there."""
    open_now = series.open.get(kind.value)
    # What came too late to be acted upon says nothing of now.
    if open_now is None or "explained" not in open_now or not transition[T_LIVE] > 0.0:
        return
    last_h, until_h = open_now["explained"]
    hour = float(transition[T_TIME])
    if hour < until_h and hour < last_h + _LOOK_AGAIN_H and kind is not DeviationKind.OUTLIER:
        return
    departure = _departure(transition)
    again = explained(series.analyte.slug, departure, person.doses, person.illnesses)
    if again is not None:
        open_now["explained"] = [departure.hour, again.until_h]
        return
    if departure.hour < until_h:  # it has become what a journey does not show
        until_h = last_h
    sign = 1.0 if transition[T_SIGN] > 0.0 else -1.0
    scores = (sign * transition[T_WINDOWS:]).tolist()
    if not outlasts(kind, departure.hour, until_h, scores, departure.threshold):
        return
    deviation = Deviation.model_validate(open_now["deviation"])
    words = f"{deviation.explained_by}, and has lasted longer than that explains"
    deviation = deviation.model_copy(update={"explained_by": words})
    alert = _alert(deviation, moment(departure.hour))
    series.open[kind.value] = _kept(deviation, alert)
    _publish(deviation, alert, outputs)


def _ended(
    series: Series, kind: DeviationKind, transition: NDArray[np.float64], outputs: Outputs
) -> None:
    open_now = series.open.pop(kind.value, None)
    if open_now is None:
        return
    ended = moment(transition[T_TIME])
    deviation = Deviation.model_validate(open_now["deviation"] | {"ended_at": ended})
    alert = None
    if "alert" in open_now:
        alert = Alert.model_validate(
            open_now["alert"] | {"state": "resolved", "updated_at": ended, "resolved_at": ended}
        )
    _publish(deviation, alert, outputs)


def _departure(t: NDArray[np.float64]) -> Departure:
    kind = int(t[T_KIND])
    return Departure(
        kind=KINDS[kind],
        direction=direction(kind, float(t[T_SIGN])),
        hour=float(t[T_TIME]),
        threshold=float(t[T_THRESHOLD]),
        effect=float(t[T_EFFECT]),
        low=float(t[T_LOW]),
        high=float(t[T_HIGH]),
        window_d=float(t[T_WINDOW_D]),
        rest=float(t[T_REST]),
        settled_h=float(t[T_SETTLED]),
        flights=flights(np.nan_to_num(t[T_JOURNEYS : T_JOURNEYS + JOURNEYS_SIZE])),
    )


def _kept(deviation: Deviation, alert: Alert | None) -> dict[str, Any]:
    """What a series keeps of an open deviation."""
    kept = {"deviation": deviation.model_dump(mode="json")}
    if alert is not None:
        kept["alert"] = alert.model_dump(mode="json")
    return kept


def _alert(deviation: Deviation, at: datetime) -> Alert:
    """The alert that a deviation opens at a time."""
    return Alert(
        **_head(deviation),
        kind=deviation.kind,
        direction=deviation.direction,
        state="open",
        severity=deviation.severity,
        updated_at=at,
        reason=deviation.reason,
    )


def _head(deviation: Deviation) -> dict[str, Any]:
    return deviation.model_dump(include={"site", "subject", "analyte", "time"})


def _opened(series: Series, t: NDArray[np.float64]) -> Deviation:
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
