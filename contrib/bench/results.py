"""What was measured of one neighbour, round by round, and the tables of it."""

import math
import statistics

from table import figure, markdown, percentile, quartiles, spread


class Results:
    def __init__(self, neighbour):
        self.key, self.name = neighbour.key, neighbour.name
        # By what was measured, one of the answers of the driving program per round.
        self.rounds = {name: [] for name in ("spaced", "close", "kept", "rate 1", "rate 8", "kept rate")}
        # Anonymous memory and PSS, kB: fresh, and after the rounds; private kB per task; how many tasks there were.
        self.fresh = self.after = (math.nan, math.nan)
        self.per_task, self.ran = math.nan, 0
        # Why it is not measured any more.
        self.dropped = None

    def ratio(self, kind, key, limit, share):
        """A percentile of all fires, each divided by the median limit of its round, and the quartiles of the rounds."""
        of_rounds = []
        for one in self.rounds[kind]:
            if one[key]:
                base = percentile(one[limit], .5)
                of_rounds.append([value / base for value in one[key]])
        everything = [value for values in of_rounds for value in values]
        return percentile(everything, share), quartiles([percentile(values, share) for values in of_rounds])

    def milliseconds(self, kind, key, share):
        return percentile(self.times(kind, key), share) / 1000

    def times(self, kind, key):
        return [value for one in self.rounds[kind] for value in one[key]]

    def per_second(self, kind):
        values = [one["per_s"] for one in self.rounds[kind]]
        return statistics.median(values) if values else math.nan, quartiles(values)

    def lost(self, *kinds):
        """What was asked for and did not arrive, or was said to have failed."""
        return sum(one["lost"] if "lost" in one else max(one["n"] - one["arrived"], one.get("failed", 0))
                   for kind in kinds for one in self.rounds[kind])

    def fires(self, *kinds):
        return sum(one["n"] for kind in kinds for one in self.rounds[kind])


def by_cli(found):
    rows = []
    for one in found:
        if not one.rounds["spaced"]:
            continue
        row = [one.name]
        for key, limit, share in (("start", "limit", .5), ("start", "limit", .99), ("cli", "wall", .5)):
            row += [spread(*one.ratio(kind, key, limit, share)) for kind in ("spaced", "close")]
        row.append(" / ".join(figure(one.milliseconds(kind, "start", share)) for share in (.5, .99)
                              for kind in ("spaced", "close")))
        rows.append([*row, one.fires("spaced", "close"), one.lost("spaced", "close")])
    return markdown(["by CLI, ÷ limit", "start, spaced", "start, close", "p99, spaced", "p99, close", "CLI, spaced",
                     "CLI, close", "ms: p50 spaced / close / p99 spaced / close", "n", "lost"], rows)


def by_rate(found):
    kinds = "rate 1", "rate 8", "kept rate"
    return markdown(["fires per second", "1 CLI", "8 CLIs", "8 kept connections", "n", "lost"],
                    [[one.name, *(spread(*one.per_second(kind)) for kind in kinds), one.fires(*kinds), one.lost(*kinds)]
                     for one in found if one.fires(*kinds)])


def by_kept_connection(found):
    rows = []
    for one in found:
        if one.rounds["kept"]:
            ratios = [one.ratio("kept", key, "limit", share) for key in ("answer", "start") for share in (.5, .99)]
            rows.append([one.name, *(spread(*ratio) for ratio in ratios),
                         figure(one.milliseconds("kept", "answer", .5)), one.fires("kept"), one.lost("kept")])
    return markdown(["over a kept connection, ÷ limit", "answer", "answer p99", "start", "start p99", "ms: answer", "n",
                     "lost"], rows)


def by_memory(found):
    def megabytes(sizes):
        return " / ".join(figure(size / 1024) for size in sizes)
    return markdown(["memory", "MB anonymous / PSS, just started", "after these fires", "kB private per task", "tasks"],
                    [[one.name, megabytes(one.fresh), megabytes(one.after), figure(one.per_task), one.ran]
                     for one in found])


TABLES = by_cli, by_rate, by_kept_connection, by_memory
