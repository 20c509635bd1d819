"""Each attempt keeps the last lines of its output (faf(1), show): its own, bounded, and for those alone who may see the run."""

import pytest
from harness import ALICE, OTHER, STRANGER
from system import wait_for

# Each attempt says which one it is.
SAYS = "echo attempt $FAF_ATTEMPT >&2\n"


def output(faf, run, **who):
    """What each attempt has kept."""
    return [attempt.get("output", {}).get("lines") for attempt in faf.json("show", str(run), **who)["attempts"]]


def test_each_attempt_keeps_what_it_wrote_itself(faf):
    """Only the answer about one run has it: others may be about very many."""
    faf.task("t", SAYS + "test $FAF_ATTEMPT != 2 || exit 3\nseq 15\nexit 4", Retry="on-failure", RetryLimit=2, RetrySec=0)
    run = faf.fire("t")
    assert len(faf.ends(run, "failed")["attempts"]) == 3
    last = [str(number) for number in range(6, 16)]
    assert output(faf, run) == [last, ["attempt 2"], last]
    shown = faf.faf("show", str(run), check=0).stdout
    assert "   wrote last: attempt 2\n" in shown and "   wrote last: 6\n               7\n" in shown
    assert "   wrote last: 6\n" in faf.faf("status", str(run), check=0).stdout
    assert "  wrote: 6\n         7\n" in faf.faf("explain", str(run), check=0).stdout
    for listed in (faf.runs()[0], faf.call("Wait", {"runs": [run]})["runs"][0]):
        assert len(listed["attempts"]) == 3 and not any("output" in attempt for attempt in listed["attempts"])


def test_a_run_that_waits_tells_why_in_its_own_words(faf):
    faf.task("t", SAYS + "exit 3", Retry="on-failure", RetrySec="1h")
    run = faf.fire("t")
    faf.wait_state(run, "queued")
    assert "  wrote: attempt 1\n" in faf.faf("explain", str(run), check=0).stdout
    faf.faf("retry", str(run), check=0)
    wait_for(lambda: output(faf, run) == [["attempt 1"], ["attempt 2"]], 10)


def test_what_succeeds_or_says_nothing(faf):
    faf.task("t", "echo done")
    faf.task("silent", "exit 3")
    said, silent = faf.fire("t"), faf.fire("silent")
    faf.ends(said, "succeeded")
    faf.ends(silent, "failed")
    assert output(faf, said) == [["done"]] and output(faf, silent) == [None]
    assert "wrote:" not in faf.faf("explain", str(said), check=0).stdout
    assert "wrote:" not in faf.faf("explain", str(silent), check=0).stdout


def test_no_more_than_4_KiB_and_nothing_for_a_terminal_to_obey(faf):
    faf.task("t", r"""head -c 300000 /dev/zero | tr '\0' x; printf '\n\377\033[2J\tend'; exit 1""")
    run = faf.fire("t")
    faf.ends(run, "failed")
    kept = faf.attempt(run)["output"]
    assert kept["cut"] is True and kept["lines"][1] == "\ufffd\x1b[2J\tend"
    assert set(kept["lines"][0]) == {"x"} and 4000 < len(kept["lines"][0].encode()) <= 4096
    explained = faf.faf("explain", str(run), check=0).stdout
    assert "  wrote: ... xxx" in explained and "\n         \ufffd\\x1b[2J\tend\n" in explained


@pytest.mark.root
def test_only_who_may_see_the_run_sees_them(faf):
    faf.task("t", "echo secret; exit 1", AllowUsers=ALICE)
    run = faf.fire("t", uid=ALICE)
    faf.ends(run, "failed")
    assert output(faf, run, uid=ALICE) == [["secret"]]
    for uid in (OTHER, STRANGER):
        for verb in ("show", "status", "explain"):
            result = faf.faf(verb, str(run), uid=uid)
            assert result.returncode != 0 and "secret" not in result.stdout + result.stderr


def test_they_survive_fafd(faf):
    """An attempt that fafd was away from, for a while or at its end, and those before it."""
    faf.task("t", SAYS + "test $FAF_ATTEMPT = 1 && exit 3\n: > {0}/up.$FAF_ATTEMPT\nwhile ! test -e {0}/end; do sleep 0.05; done\n"
             "echo the end; exit 4".format(faf.out), Retry="on-failure", RetryLimit=1, RetrySec=0)
    run = faf.fire("t")
    wait_for(faf.output("up.2").exists, 10)
    faf.kill9()
    faf.start()
    assert output(faf, run) == [["attempt 1"], None]
    faf.kill9()
    faf.output("end").touch()
    faf.start()
    faf.ends(run, "failed")
    assert output(faf, run) == [["attempt 1"], ["attempt 2", "the end"]]
    faf.restart()
    assert output(faf, run) == [["attempt 1"], ["attempt 2", "the end"]]
