"""Lists of runs, whatever there is to list."""

import contextlib
import sqlite3

from system import wait_for


def test_a_list_of_runs_with_many_attempts_comes_in_parts(faf):
    """However many runs with however many attempts there are: no reply holds more than a thousand, and none is missing."""
    faf.task("t", "exit 3")
    runs = [faf.fire("t") for _ in range(24)]
    for run in runs:
        faf.ends(run, "failed")
    wait_for(faf.is_clean, 5)
    faf.stop()
    with contextlib.closing(sqlite3.connect(f"{faf.state}/faf.db")) as database, database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(attempts)")]
        others = ", ".join(column for column in columns if column != "number")
        database.execute(
            f"WITH RECURSIVE more(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM more WHERE n < 100) "
            f"INSERT INTO attempts (number, {others}) SELECT n, {others} FROM attempts, more WHERE number = 1")
    faf.start()
    with faf.wire() as connection:
        parts = [reply["runs"] for reply in connection.stream("ListRuns", {"limit": -1})]
    sizes = [sum(len(run["attempts"]) for run in part) for part in parts]
    assert max(sizes) <= 1000 and len(parts) == 3, sizes
    assert [run["number"] for part in parts for run in part] == runs[::-1] and sum(sizes) == 2400
    assert len(faf.json("list", "--all")) == 24
