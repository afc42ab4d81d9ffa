"""What ``acrophase fit`` prints for people: one person's figures, or one line a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rich.console import Console
from rich.table import Table

from acrophase.cycles import CycleFit
from acrophase.fit_markers import FitMarker
from acrophase.fits import CONVENTION, Fit
from acrophase.slow_fits import SlowFit
from processors.rhythm.cosinor import FitStatus
from schemas.analytes import Analyte

# Columns that the table of many people may take.
_MANY_WIDTH = 140

# Below this a p-value is rounding: 0 would claim what no test can.
_LEAST_P = 1e-300


def print_one(console: Console, analyte: Analyte, result: Fit) -> None:
    """One person: the least-squares figures, the posterior, and what to mind about them."""
    console.print(f"[bold]{analyte.name}, {result.subject}[/bold]", highlight=False, soft_wrap=True)
    console.print(_least_squares(analyte, result))
    if result.posterior is not None and result.least_squares.coefficients:
        console.print(_posterior(analyte, result.posterior))
    _print_markers(console, analyte, result.markers)
    about = (result.least_squares.reason, _period(result), *result.notes, CONVENTION)
    for sentence in filter(None, about):
        console.print(sentence, highlight=False, markup=False)


def print_cycles(console: Console, analyte: Analyte, result: CycleFit) -> None:
    """The markers of one person's cycles."""
    title = f"[bold]{analyte.name}, {result.subject}[/bold]"
    console.print(title, highlight=False, soft_wrap=True)
    _print_markers(console, analyte, result.markers)
    for sentence in result.notes:
        console.print(sentence, highlight=False, markup=False)


def print_slow(console: Console, analyte: Analyte, result: SlowFit) -> None:
    """Level, trend and change of one person, each with what it means."""
    title = f"[bold]{analyte.name}, {result.subject}[/bold]"
    console.print(title, highlight=False, soft_wrap=True)
    _print_markers(console, analyte, result.markers)
    told = [marker.sentence for marker in result.markers if marker.status == "measured"]
    for sentence in (*told, *result.notes):
        console.print(sentence, highlight=False, markup=False)


def print_many(console: Console, analyte: Analyte, results: Sequence[Fit]) -> None:
    """Many people: a line each, and the reasons of those without a fit."""
    unit = "ln units" if results[0].scale == "log" else analyte.unit_label
    title = f"{analyte.name}, {len(results)} people, mesor and amplitude in {unit}"
    table = Table("Person", title=title, title_justify="left", box=None)
    for heading in ("Mesor", "SE", "Amplitude", "SE", "Acrophase", "SE (h)", "p", "R²", "n"):
        table.add_column(heading, justify="right")
    table.add_column("Status")
    for result in results:
        fit = result.least_squares
        numbers = (fit.mesor, fit.mesor_se, fit.amplitude, fit.amplitude_se)
        table.add_row(
            result.subject,
            *("" if value is None else f"{value:.4g}" for value in numbers),
            "" if fit.acrophase is None else clock(fit.acrophase),
            "" if fit.acrophase_se is None else f"{fit.acrophase_se:.2g}",
            "" if fit.p is None else _p(fit.p, 2),
            "" if fit.r_squared is None else f"{fit.r_squared:.2g}",
            str(fit.n),
            fit.status.value,
        )
    # A long table is read by other programs too: rather leave the terminal than cut numbers.
    Console(width=max(console.width, _MANY_WIDTH)).print(table)
    reasons = {r.least_squares.status: r.least_squares.reason for r in results}
    for status, reason in reasons.items():
        if reason is not None:
            console.print(f"{status.value}, for example: {reason}", highlight=False, markup=False)
    console.print(CONVENTION, highlight=False, markup=False)


def clock(hour: float) -> str:
    """An hour of any day as people write it.

    >>> clock(9.4521), clock(-0.5)
    ('09:27', '23:30')
    """
    minutes = round(hour * 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _period(result: Fit) -> str | None:
    """The period of a clock that runs free, and where 24 hours fails without one, why so."""
    found = result.free_period
    if found is None or result.least_squares.reason == found.sentence:
        return None
    failed = result.least_squares.status is FitStatus.NO_RHYTHM
    return found.sentence if found.status == "measured" or failed else None


def _least_squares(analyte: Analyte, result: Fit) -> Table:
    fit = result.least_squares
    unit = analyte.unit_label
    is_log = result.scale == "log"
    table = Table("Least squares")
    table.add_column("Estimate", justify="right")
    table.add_column("SE", justify="right")
    table.add_column("Unit")

    def row(name: str, value: float | None, se: float | None, unit: str, shown: str = "") -> None:
        if value is not None:
            table.add_row(name, shown or _number(value), "" if se is None else _number(se), unit)

    row("mesor M", fit.mesor, fit.mesor_se, f"ln({unit})" if is_log else unit)
    if is_log:
        row("midline exp(M)", result.midline, None, unit)
    row("amplitude A", fit.amplitude, fit.amplitude_se, "ln units" if is_log else unit)
    for name, value, se in (
        ("acrophase", fit.acrophase, fit.acrophase_se),
        ("peak", fit.peak, fit.peak_se),
        ("trough", fit.trough, fit.trough_se),
    ):
        if value is not None:
            row(name, value, se, "h", f"{clock(value)}  {value:.4f}")
        if name == "acrophase":
            row("acrophase phi", fit.acrophase_radians, fit.acrophase_radians_se, "rad")
    row("highest", result.peak_value, None, unit)
    row("lowest", result.trough_value, None, unit)
    table.add_section()
    if fit.f is not None and fit.p is not None:
        row(f"F({fit.df_model}, {fit.df_residual})", fit.f, None, "")
        row("p (no rhythm)", fit.p, None, "", _p(fit.p, 5))
        row("R²", fit.r_squared, None, "")
        row("residual SD", fit.residual_sd, None, "ln units" if is_log else unit)
    row("samples n", fit.n, None, "", str(fit.n))
    free = result.free_period
    if free is not None and free.period is not None and free.low is not None:
        table.add_section()
        row("free period", free.period, None, "h", f"{free.period:.2f}")
        row("its 90 % interval", free.low, None, "h", f"{free.low:.2f} to {free.high:.2f}")
    return table


def _posterior(analyte: Analyte, posterior: dict[str, object]) -> Table:
    unit = analyte.unit_label
    spread = "ln units" if analyte.scale == "log" else unit
    table = Table(f"Posterior, {analyte.scale} scale")
    table.add_column("Estimate", justify="right")
    table.add_column("90 % interval", justify="right")
    table.add_column("Unit")
    for name, key, of in (
        ("midline", "mesor", unit),
        ("amplitude", "amplitude", spread),
        ("acrophase", "acrophase", "h"),
        ("peak", "peak", "h"),
        ("trough", "trough", "h"),
        ("highest", "peak_value", unit),
        ("lowest", "trough_value", unit),
        ("residual SD", "residual_sd", spread),
        ("independent n", "n_effective", ""),
    ):
        value, interval = posterior[key], posterior.get(f"{key}_interval")
        if not isinstance(value, float):
            continue
        shown = clock if of == "h" else _number
        between = ""
        if isinstance(interval, list | tuple):
            between = f"{shown(interval[0])} to {shown(interval[1])}"
        estimate = f"{clock(value)}  {value:.4f}" if of == "h" else _number(value)
        table.add_row(name, estimate, between, of)
    return table


def _print_markers(console: Console, analyte: Analyte, markers: Sequence[FitMarker]) -> None:
    """A table of those that are given, and why the others are not."""
    given = [marker for marker in markers if marker.status == "measured"]
    if given:
        console.print(_markers(analyte, given))
    for sentence in _withheld(markers):
        console.print(sentence, highlight=False, markup=False)


def _markers(analyte: Analyte, markers: Sequence[FitMarker]) -> Table:
    """A line a marker; its date where the recording has several."""
    table = Table("Marker")
    table.add_column("Estimate", justify="right")
    table.add_column("90 % interval", justify="right")
    table.add_column("Unit")
    several = len(_days(markers)) > 1
    labels = {"clock_h": "clock", "1": "", analyte.unit: analyte.unit_label}
    for marker in markers:
        value, low, high = marker.value, marker.low, marker.high
        assert value is not None
        assert low is not None
        assert high is not None
        shown = clock if marker.unit == "clock_h" else _number
        table.add_row(
            f"{marker.name} {marker.on}" if several and marker.on else marker.name,
            shown(value),
            f"{shown(low)} to {shown(high)}",
            labels.get(marker.unit, marker.unit),
        )
    return table


def _withheld(markers: Sequence[FitMarker]) -> list[str]:
    """Why markers are not given, those with one reason together."""
    several = len(_days(markers)) > 1
    reasons: dict[tuple[str, str], list[str]] = {}
    for marker in markers:
        if marker.status == "withheld":
            on = f" {marker.on}" if several and marker.on else ""
            reasons.setdefault((on, marker.sentence), []).append(marker.name)
    return [f"no {', '.join(names)}{on}: {why}" for (on, why), names in reasons.items()]


def _days(markers: Sequence[FitMarker]) -> set[date]:
    return {marker.on for marker in markers if marker.on is not None}


def _number(value: float) -> str:
    """Five significant digits."""
    return f"{value:.5g}"


def _p(value: float, digits: int) -> str:
    return f"{value:.{digits}g}" if value >= _LEAST_P else f"< {_LEAST_P:g}"
