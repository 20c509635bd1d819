"""The sample tasks of units/ do what their comments and the README say."""

import pathlib

import pytest
from system import wait_for

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
INSTALLED = "/usr/local/share/faf/units/scripts/"


@pytest.fixture
def samples(faf):
    """fafd with the sample units, as `make install` would have put them somewhere else."""
    for unit in sorted((CHECKOUT / "units").glob("*.task")):
        text = unit.read_text()
        assert INSTALLED in text, f"{unit.name} is not rewritten by make install"
        script = unit.stem
        faf.script(script, (CHECKOUT / "units/scripts" / script).read_text())
        faf.unit(script, text.replace(INSTALLED, faf.scripts + "/"))
    faf.faf("reload", check=0)
    return faf


def log(faf, number):
    return faf.faf("logs", str(number), check=0).stdout


def test_every_sample_passes_verify(stopped_faf):
    for unit in sorted((CHECKOUT / "units").glob("*.task")):
        done = stopped_faf.faf("verify", str(unit), check=0)
        assert done.stdout + done.stderr == ""


def test_noop_answers(samples):
    run = samples.fire("noop")
    samples.ends(run, "succeeded", exit_status=0)
    assert log(samples, run) == "NOOP: OK!\n"
    assert "parameter x" in samples.refused("fire", "noop", "--x=1", code=65)


def test_ping_answers_with_what_it_is_given(samples):
    run = samples.fire("ping", "--foo=bar", "--empty=", '--tree:={"a":[1,2.50]}')
    samples.ends(run, "succeeded", exit_status=0)
    assert log(samples, run) == 'pong\n--empty=\n--foo=bar\n--tree={"a":[1,2.50]}\n'


def test_count_tells_how_far_it_is(samples):
    run = samples.fire("count", "--to=3", "--step-ms=20", '--label=a b"c')
    ended = samples.ends(run, "succeeded", exit_status=0)
    assert ended["progress"] == {"done": 3, "total": 3}
    assert ended["status"] == "3 of 3"
    assert ended["result"] == "counted to 3"
    assert log(samples, run) == 'counting a b"c\n1 of 3\n2 of 3\n3 of 3\n'


def test_status_of_count_shows_the_progress(samples):
    """As the README and the demo have it: `3 of 5`, while it runs."""
    run = samples.fire("count", "--to=5", "--step-ms=300")
    wait_for(lambda: "3 of 5" in samples.faf("status", str(run), check=0).stdout, 10, "3 of 5 is shown")
    samples.kill(run)
    assert samples.wait(run)["state"] == "killed"
