"""What faf is to reach beside its neighbours, all of it in the same run."""

import math

from table import Row, at_least, at_most


def rows(found):
    """`found`: the results by key."""
    faf = found["faf"]

    def of(key, figure, *arguments, times=1):
        """The same figure of a neighbour; not a number where it was not measured."""
        return figure(found[key], *arguments)[0] * times if key in found else math.nan

    def ratio(one, kind, key, limit, share):
        return one.ratio(kind, key, limit, share)

    def rate(one, kind):
        return one.per_second(kind)

    def row(line, unit, kinds, measured, must, aim):
        value, spread = measured
        return Row(line, value, unit, faf.fires(*kinds), must, aim, spread, faf.lost(*kinds))

    table = []
    for kind in ("spaced", "close"):
        start = kind, "start", "limit", .5
        table.append(row(f"`faf fire` to the task's first instruction, p50, {kind}", "÷ limit", [kind],
                         faf.ratio(*start), at_most(of("probe", ratio, *start), "probe"),
                         at_most(of("task-spooler", ratio, *start), "task-spooler")))
    for kind in ("spaced", "close"):
        start = kind, "start", "limit", .99
        table.append(row(f"the same, p99, {kind}", "÷ limit", [kind], faf.ratio(*start),
                         at_most(of("task-spooler", ratio, *start, times=2), "2 × task-spooler"),
                         at_most(of("task-spooler", ratio, *start), "task-spooler")))
    for kind in ("spaced", "close"):
        table.append(row(f"`faf fire` until it has exited, p50, {kind}", "÷ limit", [kind],
                         faf.ratio(kind, "cli", "wall", .5), at_most(2.2), at_most(1.8)))
    for name in ("answer", "start"):
        kept = "kept", name, "limit", .5
        table.append(row(f"kept connection: until the {name}, p50", "÷ limit", ["kept"], faf.ratio(*kept),
                         at_most(of("celery", ratio, *kept), "celery"), at_most(of("probe", ratio, *kept), "probe")))
    for clients in (1, 8):
        kind = f"rate {clients}"
        table.append(row(f"fires by CLI, {clients} at once", "per s", [kind], faf.per_second(kind),
                         at_least(of("probe", rate, kind, times=.8), "0.8 × probe"),
                         at_least(of("task-spooler", rate, kind), "task-spooler")))
    kind = "kept rate"
    table.append(row("fires over 8 kept connections", "per s", [kind], faf.per_second(kind),
                     at_least(of("celery", rate, kind), "celery"), at_least(1500)))
    return table
