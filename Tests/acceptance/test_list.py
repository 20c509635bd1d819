"""Lists of runs, whatever there is to list."""

import contextlib
import select
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


def test_a_run_that_ends_while_the_list_is_sent_is_in_it_once(faf):
    """The first part waits for whoever reads it, the rows of runs that are over are read after it."""
    faf.task("t", "exec sleep 1000")
    runs = [faf.call("Fire", {"task": "t", "parameters": {"text": "x" * 8000}})["run"]["number"] for _ in range(210)]
    with faf.wire() as connection:
        connection.send("ListRuns", {"limit": -1}, more=True)
        # 1.6 MB, which no socket takes before somebody reads.
        assert select.select([connection.socket], [], [], 10)[0]
        faf.kill(runs[-1], "-s", "KILL")
        faf.wait(runs[-1])
        found, goes_on = [], True
        while goes_on:
            reply, goes_on = connection.receive()
            found += [run["number"] for run in reply["runs"]]
    assert found == runs[::-1]
