"""Threat model, section B: parameters and names."""

import json

import pytest
from harness import BAD_INPUT, NOT_FOUND, OTHER, REFUSED, USAGE, for_each
from wire import Closed, WireError

BAD = (BAD_INPUT, USAGE, NOT_FOUND)

NASTY = {
    "a": "-rf",
    "b": "--",
    "c": "two words",
    "d": "a'b",
    "e": 'a"b',
    "f": "line\nline\n",
    "g": "$(id)",
    "h": "`id`",
    "i": "*",
    "j": "",
    "k": "back\\slash\\",
    "l": "tab\tbell\x07",
    "m": "ünïcödé ☃ 𝄞",
    "n": "$HOME ${HOME} %i %n %%",
    "o": "; rm x",
    "p": " leading and trailing ",
    "q": "--z=1",
    "r": "\\x41\\n",
    "s": "=",
}


def arguments_of(faf, number):
    return faf.output(f"argv.{number}").read_bytes().split(b"\0")[:-1]


def dumping(faf, name="t", **settings):
    """A task that leaves its arguments as they came; `$0` first."""
    faf.task(name, f'printf "%s\\0" "$0" "$@" > {faf.out}/argv.$FAF_RUN', **settings)


def test_b1_one_parameter_is_one_argument_from_the_command_line(faf):
    """B1: `--name=value`, no shell, sorted by name, byte for byte."""
    dumping(faf)
    given = [f"--{name}={value}" for name, value in reversed(NASTY.items())]
    run = faf.fire("t", "--", *given)
    faf.ends(run, "succeeded")
    assert arguments_of(faf, run)[1:] == [f"--{name}={value}".encode() for name, value in NASTY.items()]


def test_b1_one_parameter_is_one_argument_from_the_wire(faf):
    """B1: the same through the protocol; sorted by bytes of the name."""
    dumping(faf)
    given = {**NASTY, "Zed": "1", "a-b": "2", "a_b": "3", "aB": "4", "a0": "5"}
    run = faf.call("Fire", {"task": "t", "parameters": given})["run"]["number"]
    faf.ends(run, "succeeded")
    assert arguments_of(faf, run)[1:] == [f"--{name}={given[name]}".encode() for name in sorted(given)]
    assert faf.run(run)["parameters"] == given


def test_b1_fixed_arguments_come_first(faf):
    """B1: ExecStart='s own arguments, then the parameters."""
    path = faf.script("t", f'printf "%s\\0" "$0" "$@" > {faf.out}/argv.$FAF_RUN')
    faf.unit("t", ExecStart=f"{path} \"one two\" 'three' -x --zz=1")
    run = faf.fire("t", "--aa=1")
    faf.ends(run, "succeeded")
    assert arguments_of(faf, run)[1:] == [b"one two", b"three", b"-x", b"--zz=1", b"--aa=1"]


def test_b1_other_than_strings_are_json(faf):
    """B1: numbers, booleans, arrays and objects arrive as JSON."""
    dumping(faf)
    given = {"a": True, "b": [1, "x y", None], "c": {"k": {"n": 1.5}}, "d": 5, "e": False}
    run = faf.call("Fire", {"task": "t", "parameters": given})["run"]["number"]
    faf.ends(run, "succeeded")
    found = dict(argument[2:].split(b"=", 1) for argument in arguments_of(faf, run)[1:])
    assert {name.decode(): json.loads(value) for name, value in found.items()} == given
    assert found[b"a"] == b"true" and found[b"d"] == b"5"


@pytest.fixture
def marked(faf):
    """`t` takes anything; `d` takes n (integer), s (string) and f (boolean) only; both run `mark`."""
    marker = faf.marker()
    faf.unit("t", ExecStart=marker)
    faf.unit("d", f"[Task]\nExecStart={marker}\n[Parameters]\nn=integer\ns=string\nf=boolean\n")
    yield faf
    assert faf.marks() == [], "nothing ran"
    assert faf.runs() == [], "nothing was numbered"


def raw_fire(faf, task, parameters):
    """The error that a Fire with these bytes for `parameters` gets; None: the connection was closed."""
    with faf.wire() as wire:
        wire.send_bytes(
            b'{"method":"io.faf.Supervisor.Fire","parameters":{"task":"'
            + task
            + b'","parameters":'
            + parameters
            + b"}}\0"
        )
        try:
            reply = wire.receive()
        except WireError as error:
            return error
        except Closed:
            return None
        raise AssertionError(f"it was taken: {reply}")


def test_b2_nul_is_refused_by_name(marked):
    """B2: NUL, also as \\u0000, and as the name of a key."""

    def check(parameters):
        error = raw_fire(marked, b"t", parameters)
        assert error is not None and error.error in ("BadParameter", "InvalidParameter")
        assert error.parameters.get("parameter") in ("a", "parameters")

    for_each([b'{"a":"x\\u0000y"}', b'{"a":"x\\u0000"}', b'{"a":["\\u0000"]}', b'{"a":{"k\\u0000":1}}'], check)


def test_b2_broken_text_is_refused(marked):
    """B2: invalid UTF-8, lone surrogates, doubled names: a typed error, or (broken JSON) a closed connection."""

    def check(parameters):
        error = raw_fire(marked, b"t", parameters)
        assert error is None or error.error in ("BadParameter", "InvalidParameter")

    for_each(
        [
            b'{"a":"\xff"}',
            b'{"a":"\xc0\xaf"}',
            b'{"a":"\xed\xa0\x80"}',
            b'{"a":"\\ud800"}',
            b'{"a":"\\udc00x"}',
            b'{"a":"\\ud800\\u0041"}',
            b'{"a":"x\0y"}',
            b'{"a":1,"a":2}',
            b'{"a":{"k":1,"k":2}}',
            b'{"a":01}',
            b'{"a":+1}',
            b'{"a":NaN}',
            b'{"a":1.}',
            b'{"a":"\x01"}',
        ],
        check,
    )


def test_b2_a_bad_name_is_refused_by_name(marked):
    """B2: names match [A-Za-z][A-Za-z0-9_-]*."""

    def check(name):
        error = raw_fire(marked, b"t", json.dumps({name: "x"}).encode())
        assert error is not None and error.error in ("BadParameter", "InvalidParameter")
        assert error.parameters.get("parameter") in (name, "parameters")

    for_each(["1a", "", "-a", "a b", "a=b", "ä", "a.b", "_a", "a\nb", "a/b"], check)


def test_b2_undeclared_and_ill_typed_are_refused_by_name(marked):
    """B2: once one is declared, only declared ones of the right type."""

    def check(parameters, name):
        error = raw_fire(marked, b"d", json.dumps(parameters).encode())
        assert error is not None and error.error == "BadParameter"
        assert error.parameters["parameter"] == name
        assert error.parameters["message"] and error.parameters["remedy"]

    for_each(
        [
            ({"x": "1"}, "x"),
            ({"n": "five"}, "n"),
            ({"n": 1.5}, "n"),
            ({"n": True}, "n"),
            ({"n": [1]}, "n"),
            ({"s": {}}, "s"),
            ({"f": "maybe"}, "f"),
            ({"f": [1]}, "f"),
            ({"n": 1, "LD_PRELOAD": "x"}, "LD_PRELOAD"),
        ],
        check,
    )


def test_b2_the_command_line_refuses_by_name(marked):
    """B2: the same from faf, with the exit code for a bad parameter."""

    def check(arguments, name):
        assert name in marked.refused("fire", "d", "--", *arguments, code=BAD)

    for_each(
        [(("--n=five",), "n"), (("--x=1",), "x"), (("--s=1", "--s=2"), "s"), (("--f=maybe",), "f"), (("--n=",), "n")],
        check,
    )


def test_b2_invalid_utf8_on_the_command_line(marked):
    """B2: a value that is no UTF-8 cannot be said in JSON: refused, naming the parameter."""
    done = marked.faf("fire", "t", "--bad=\udcff\udcfe")
    assert done.returncode in BAD, (done.returncode, done.stderr)
    assert "bad" in done.stderr


def test_b2_a_required_parameter_that_is_missing(faf):
    """B2: a required parameter is named, too."""
    marker = faf.marker()
    faf.unit("t", f"[Task]\nExecStart={marker}\n[Parameters]\nvideo=integer required\n")
    with pytest.raises(WireError) as error:
        faf.call("Fire", {"task": "t"})
    assert error.value.error == "BadParameter" and error.value.parameters["parameter"] == "video"
    assert faf.marks() == []


def test_b2_an_argument_of_128_kib_is_the_limit(faf):
    """B2: an element of 131 071 bytes arrives whole; one byte more is refused by name before anything runs."""
    dumping(faf)
    size = 131_071 - len("--big=")
    run = faf.call("Fire", {"task": "t", "parameters": {"big": "x" * size}})["run"]["number"]
    faf.ends(run, "succeeded")
    assert arguments_of(faf, run)[1] == b"--big=" + b"x" * size
    # Bytes count, not characters.
    for value in ("x" * (size + 1), "ä" * (size // 2 + 1)):
        with pytest.raises(WireError) as error:
            faf.call("Fire", {"task": "t", "parameters": {"big": value}})
        assert error.value.error == "BadParameter" and error.value.parameters["parameter"] == "big"
    assert len(faf.runs()) == 1


def test_b2_a_total_that_cannot_fit_is_refused(faf):
    """B2: many elements together have a limit, too (a quarter of the stack limit): refused, or run whole."""
    dumping(faf, LimitSTACK="1M:1M")
    given = {f"p{index}": "x" * 100_000 for index in range(9)}
    try:
        run = faf.call("Fire", {"task": "t", "parameters": given})["run"]["number"]
    except WireError as error:
        assert error.error == "BadParameter"
        assert faf.runs() == []
    else:
        pytest.fail(f"taken, and then: {faf.wait(run)}")


def test_b3_numbers_are_passed_as_written(faf):
    """B3: no detour through Double."""
    dumping(faf)

    def check(number):
        with faf.wire() as wire:
            wire.send_bytes(
                b'{"method":"io.faf.Supervisor.Fire","parameters":{"task":"t","parameters":{"a":'
                + number.encode()
                + b',"b":['
                + number.encode()
                + b"]}}}\0"
            )
            run = wire.receive()[0]["run"]["number"]
        faf.ends(run, "succeeded")
        assert arguments_of(faf, run)[1:] == [f"--a={number}".encode(), f"--b=[{number}]".encode()]
        with faf.wire() as wire:
            wire.send("GetRun", {"run": run})
            assert f'"a":{number}'.encode() in wire.receive_bytes().replace(b": ", b":"), "and shown as written"

    for_each(
        [
            "9007199254740993",
            "-0",
            "1e400",
            "0.1000000000000000055511151231257827",
            "1E+2",
            "123456789012345678901234567890",
            "1.0",
        ],
        check,
    )


def test_b3_declared_numbers_are_passed_as_written(faf):
    """B3: the same for declared types from the command line, where everything is text first."""
    path = faf.script("t", f'printf "%s\\0" "$0" "$@" > {faf.out}/argv.$FAF_RUN')
    faf.unit("t", f"[Task]\nExecStart={path}\n[Parameters]\nn=integer\nx=number\n")
    run = faf.fire("t", "--n=9007199254740993", "--x=0.30000000000000004441")
    faf.ends(run, "succeeded")
    assert arguments_of(faf, run)[1:] == [b"--n=9007199254740993", b"--x=0.30000000000000004441"]


def test_b4_parameters_never_become_environment(faf):
    """B4: LD_PRELOAD, PATH, FAF_RUN as parameters are arguments; the caller's environment is never used."""
    faf.task(
        "t", f'cat /proc/self/environ > {faf.out}/env.$FAF_RUN; printf "%s\\0" "$0" "$@" > {faf.out}/argv.$FAF_RUN'
    )
    run = faf.fire(
        "t",
        "--LD_PRELOAD=x",
        "--FAF_RUN=1000",
        "--PATH=/evil",
        "--NOTIFY_SOCKET=/evil",
        environment={"LD_AUDIT_X": "evil", "CALLER": "evil", "IFS": "x"},
    )
    faf.ends(run, "succeeded")
    environment = faf.output(f"env.{run}").read_bytes()
    assert b"evil" not in environment and b"LD_" not in environment
    assert f"FAF_RUN={run}".encode() in environment.split(b"\0")
    assert arguments_of(faf, run)[1:] == [
        b"--FAF_RUN=1000",
        b"--LD_PRELOAD=x",
        b"--NOTIFY_SOCKET=/evil",
        b"--PATH=/evil",
    ]


def test_b5_names_of_kernel_files_run(faf):
    """B5: unit names never meet the kernel's files or our own directories."""

    def check(name):
        faf.task(name, "exit 0")
        faf.faf("reload", check=0)
        run = faf.fire(name)
        faf.ends(run, "succeeded")
        assert faf.run(run)["task"] == name

    for_each(["memory.max", "cgroup.procs", "hold", ".control", "shims", "t", "cgroup.kill", "a:b_c-d.e"], check)


def test_b5_other_names_are_no_tasks(faf):
    """B5: a fixed alphabet without a slash: such a name is refused and never becomes a path."""
    faf.unit("t@", ExecStart="/bin/true")

    def check(name):
        with pytest.raises(WireError) as error:
            faf.call("Fire", {"task": name})
        assert error.value.error in ("NoSuchTask", "InvalidParameter", "BadUnit"), error.value
        assert faf.runs() == []

    for_each(["a/b", "..", "../t", "/etc/passwd", "t/../t", "a b", "tä", "t\n", "", "x" * 300, "t@", "%n"], check)


def test_b5_instances_have_any_escaped_name(faf):
    """B5: an instance such as `..` or with an escaped slash runs and stays a name."""
    path = faf.script("i", f'printf "%s\\0" "$0" "$@" > {faf.out}/argv.$FAF_RUN')
    faf.unit("i@", ExecStart=f"{path} %i %I")
    for instance, plain in (("a-b", "a/b"), ("a\\x2db", "a-b"), ("memory.max", "memory.max"), ("x@y", "x@y")):
        run = faf.fire(f"i@{instance}")
        faf.ends(run, "succeeded")
        assert arguments_of(faf, run)[1:] == [instance.encode(), plain.encode()]
        assert faf.run(run)["task"] == f"i@{instance}"


def test_b5_a_tasks_name_is_not_all_digits(faf):
    """Design 4: `faf kill 17` means a run, so no task may be called so."""
    faf.unit("17", ExecStart="/bin/true")
    faf.faf("reload")
    faf.refused("fire", "17", code=(*BAD, OTHER))
    assert faf.runs() == []


@pytest.mark.root
@pytest.mark.parametrize(
    "setting", ["User", "Group", "SupplementaryGroups", "ScriptOwner", "AllowUsers", "AllowGroups"]
)
def test_b6_ids_that_mean_no_change_are_refused(faf, setting):
    """B6: −1 for setresuid (sudo CVE-2019-14287), too large, or not resolvable: an error, nothing runs."""
    marker = faf.marker()

    def check(value):
        faf.unit("t", **{"ExecStart": marker, setting: value})
        faf.refused("fire", "t", code=(BAD_INPUT, NOT_FOUND, REFUSED, OTHER))
        assert faf.marks() == [] and faf.runs() == []

    # A name that does not resolve allows nobody, and takes nothing from root.
    names = [] if setting.startswith("Allow") else ["nosuchuser-faft", "0x10"]
    for_each(["4294967295", "-1", "4294967296", "18446744073709551615", *names], check)


@pytest.mark.root
def test_b6_ids_above_two_to_the_31_work(faf):
    """B6: polkit CVE-2018-19788: User=4000000000 runs as that, and so may its callers be."""
    faf.task(
        "t",
        f"grep -E '^(Uid|Gid|Groups):' /proc/self/status > {faf.out}/ids.$FAF_RUN",
        User=4000000000,
        Group=4000000001,
        SupplementaryGroups="4000000002",
    )
    run = faf.fire("t", uid=4000000000)
    faf.ends(run, "succeeded")
    text = faf.output(f"ids.{run}").read_text()
    assert text.splitlines()[0].split() == ["Uid:"] + ["4000000000"] * 4
    assert text.splitlines()[1].split() == ["Gid:"] + ["4000000001"] * 4
    assert "4000000002" in text.splitlines()[2]
    assert faf.run(run)["uid"] == 4000000000
