"""Draws the ratios as SVG: one row a rival, on a logarithmic axis, with what is asked marked. No library needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.figures import Bar, Comparison, Verdict
from benchmarks.harness import Result
from benchmarks.machine import Machine

WIDTH = 960
LABELS = 390
RIGHT = 90
ROW = 22
TOP = 64
BOTTOM = 46
LEAST, MOST = 1e-6, 1e9  # what lies beyond is drawn at the edge

STYLE = """
  .ground { fill: #ffffff } .text { fill: #1f2328 } .faint { fill: #59636e } .grid { stroke: #d1d9e0 }
  .even { stroke: #59636e } .ok { fill: #1a7f6b } .short { fill: #bc4c00 } .free { fill: #57708f }
  .spread { stroke: #1f2328 } .mark { fill: #1f2328 }
  text { font: 12px system-ui, sans-serif } .title { font-size: 15px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #30363d }
    .even { stroke: #9198a1 } .ok { fill: #3fb79b } .short { fill: #f0883e } .free { fill: #7d9cc4 }
    .spread { stroke: #e6edf3 } .mark { fill: #e6edf3 }
  }
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One bar of the chart."""

    label: str
    comparison: Comparison
    asked: Bar | None
    style: str


def rows_of(results: Sequence[Result]) -> list[Row]:
    """Return the comparisons of all results in their order, each with the bar it must pass, if any."""
    found = []
    for result in results:
        for rival, comparison in result.comparisons.items():
            judged = [each for each in result.judgements if each.bar.against == rival and not each.bar.goal]
            style = "free" if not judged else "ok" if judged[0].verdict is Verdict.OK else "short"
            bar = judged[0].bar if judged else None
            found.append(Row(f"{result.scenario.title} · {rival}", comparison, bar, style))
    return found


def draw(results: Sequence[Result], machine: Machine) -> str:
    """Return the chart as an SVG document that reads on light and on dark ground."""
    rows = rows_of(results)
    ratios = [_bounded(ratio) for row in rows for ratio in (row.comparison.ratio, *row.comparison.rounds)]
    ratios += [_bounded(row.asked.limit) for row in rows if row.asked is not None]
    low = math.floor(math.log10(min([0.5, *ratios])))
    high = math.ceil(math.log10(max([2.0, *ratios])))
    inner = WIDTH - LABELS - RIGHT
    height = TOP + ROW * len(rows) + BOTTOM

    def x(ratio: float) -> float:
        return LABELS + inner * (math.log10(_bounded(ratio)) - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="How many times better Tutela is than its rivals">',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        '<text class="text title" x="16" y="26">How many times better Tutela is (1 = equal, log scale)</text>',
    ]
    bottom = TOP + ROW * len(rows)
    for power in range(low, high + 1):
        at = x(10.0**power)
        kind = "even" if power == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{at:.1f}" y1="{TOP - 8}" x2="{at:.1f}" y2="{bottom}"/>')
        parts.append(f'<text class="faint" x="{at:.1f}" y="{TOP - 14}" text-anchor="middle">{10.0**power:g}x</text>')
    for place, row in enumerate(rows):
        parts.extend(_draw_row(row, TOP + ROW * place, x))
    parts.append(f'<text class="faint" x="16" y="{bottom + 20}">{escape(machine.line())}</text>')
    legend = "bar: ratio of the medians · thin line: the rounds · triangle: what is asked"
    parts.append(f'<text class="faint" x="16" y="{bottom + 37}">{legend}</text>')
    parts.append("</svg>\n")
    return "\n".join(parts)


def _draw_row(row: Row, top: float, x: Callable[[float], float]) -> list[str]:
    ratio = row.comparison.ratio
    middle = top + ROW / 2
    start, end = sorted((x(1.0), x(ratio)))
    drawn = [
        f'<text class="text" x="{LABELS - 10}" y="{middle + 4}" text-anchor="end">{escape(row.label)}</text>',
        f'<rect class="{row.style}" x="{start:.1f}" y="{top + 5}" '
        f'width="{max(end - start, 1.5):.1f}" height="{ROW - 10}"/>',
    ]
    rounds = row.comparison.rounds
    reach = end
    if len(rounds) > 1:
        first, last = x(min(rounds)), x(max(rounds))
        reach = max(reach, last)
        drawn.append(f'<line class="spread" x1="{first:.1f}" y1="{middle}" x2="{last:.1f}" y2="{middle}"/>')
    if row.asked is not None:
        at = x(row.asked.limit)
        reach = max(reach, at + 4)
        foot = top + ROW - 2
        points = f"{at:.1f},{foot - 6} {at - 4:.1f},{foot} {at + 4:.1f},{foot}"
        drawn.append(f'<polygon class="mark" points="{points}"/>')
    drawn.append(f'<text class="text" x="{reach + 6:.1f}" y="{middle + 4}">{_times(ratio)}</text>')
    return drawn


def _bounded(ratio: float) -> float:
    return min(max(ratio, LEAST), MOST)


def _times(ratio: float) -> str:
    return f"{ratio:.0f}x" if ratio >= 100 else f"{ratio:.1f}x" if ratio >= 10 else f"{ratio:.2f}x"
