"""What is to be reached, and whether it is: one shape for all that measures, one table of Markdown for it."""

import dataclasses
import math
import statistics


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, round((len(values) - 1) * share))] if values else math.nan


def quartiles(values):
    return tuple(statistics.quantiles(values, n=4, method="inclusive")[::2]) if len(values) > 1 else None


def figure(value):
    """As many digits as mean something."""
    if math.isnan(value):
        return "–"
    return f"{value:.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


def spread(value, of):
    """`value` and the quartiles `of` the rounds, where there are some."""
    return figure(value) + (f" [{figure(of[0])}–{figure(of[1])}]" if of else "")


@dataclasses.dataclass(frozen=True)
class Goal:
    """A bound that a figure must keep; `whose` says where it comes from. Not a number: that was not measured."""

    bound: float
    at_least: bool = False
    whose: str = ""

    @property
    def known(self):
        return not math.isnan(self.bound)

    def reached(self, row):
        return not row.lost and (row.value >= self.bound if self.at_least else row.value <= self.bound)

    def words(self, row):
        if not self.known:
            return f"{self.whose}: not measured"
        whose = f" ({self.whose})" if self.whose else ""
        verdict = "yes" if self.reached(row) else "**no**"
        return f"{'≥' if self.at_least else '≤'} {figure(self.bound)}{whose}: {verdict}"


def at_most(bound, whose=""):
    return Goal(bound, False, whose)


def at_least(bound, whose=""):
    return Goal(bound, True, whose)


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of what is to be reached; `spread` are the quartiles of the rounds, `n` how often it was measured."""

    line: str
    value: float
    unit: str
    n: int
    must: Goal | None = None
    aim: Goal | None = None
    spread: tuple[float, float] | None = None
    # What was asked for and did not happen: with one of these no goal is reached.
    lost: int = 0
    note: str = ""


def markdown(head, rows):
    """A table; nothing, if it has no row."""
    if not rows:
        return ""
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in (head, ["---"] * len(head), *rows)) + "\n"


def goals(rows):
    """The table of `rows`, and a line that counts."""
    shown = []
    for row in rows:
        value = f"{spread(row.value, row.spread)} {row.unit}" + (f", **{row.lost} lost**" if row.lost else "")
        wanted = [goal.words(row) if goal else "" for goal in (row.must, row.aim)]
        shown.append([row.line, value, *wanted, row.n, row.note])
    counts = []
    for word, wanted in (("bounds", [(row, row.must) for row in rows]), ("aims", [(row, row.aim) for row in rows])):
        known = [(row, goal) for row, goal in wanted if goal and goal.known]
        counts.append(f"{sum(goal.reached(row) for row, goal in known)} of {len(known)} {word} are kept")
    return markdown(["line", "faf", "must", "aim", "n", ""], shown) + f"\n{', '.join(counts)}.\n"
