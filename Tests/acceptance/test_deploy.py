"""Deploys: releases that runs still use survive, with the real Capistrano and without it."""

import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess

import pytest
import system
from harness import ALICE
from system import wait_for

CONTRIB = pathlib.Path(__file__).resolve().parents[2] / "contrib"
SSHD = "/usr/sbin/sshd"

# Says at its end which release it has run from all the time: it reads a file of its own release then.
WORK = """#!/bin/sh
systemd-notify --ready --status="of $(cat "${{0%/*}}/../VERSION")" 2>/dev/null || :
until test -e {out}/end; do sleep 0.05; done
cat "${{0%/*}}/../VERSION" >{out}/ended.$FAF_RUN
"""

CAPFILE = """
require "capistrano/setup"
require "capistrano/deploy"
require "capistrano/scm/git"
install_plugin Capistrano::SCM::Git
require "capistrano/faf"
install_plugin Capistrano::Faf
"""

DEPLOY = """
set :application, "sample"
set :repo_url, "file://{repository}"
set :branch, "master"
set :deploy_to, "{app}"
set :tmp_dir, "{ssh}/tmp"
set :keep_releases, 1
set :format, :simpletext
set :format_options, color: false
set :faf_command, ["{faf}", "--socket", "{socket}"]
set :faf_user, {user_mode}
set :faf_units_path, "{units}"
server "127.0.0.1", user: "{user}", port: {port}, roles: %w[app], ssh_options: {{
  keys: ["{ssh}/key"], keys_only: true, auth_methods: ["publickey"], config: false, use_agent: false,
  user_known_hosts_file: "{ssh}/known_hosts", global_known_hosts_file: "/dev/null", verify_host_key: :always,
}}
"""

SSHD_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {ssh}/host_key
AuthorizedKeysFile {ssh}/authorized_keys
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowUsers {user}
Subsystem sftp internal-sftp
"""


class App:
    """A sample application: its repository, and the directory that it is deployed to."""

    def __init__(self, faf):
        self.faf = faf
        self.repository = faf.base + "/repository"
        self.path = faf.base + "/app"
        self.current = self.path + "/current"
        self.environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "HOME": faf.base,
            "GIT_AUTHOR_NAME": "t",
            "GIT_AUTHOR_EMAIL": "t@example.com",
            "GIT_COMMITTER_NAME": "t",
            "GIT_COMMITTER_EMAIL": "t@example.com",
        }

    def write(self, directory, version, unit=None):
        """The application's files, in a version."""
        for place, text, mode in (
            ("VERSION", version + "\n", 0o644),
            ("bin/work", WORK.format(out=self.faf.out), 0o755),
            ("config/faf/units/work.task", unit or f"[Task]\nExecStart={self.current}/bin/work\n", 0o644),
        ):
            path = pathlib.Path(directory, place)
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(mode)

    def commit(self, version, **options):
        if not os.path.isdir(self.repository):
            os.mkdir(self.repository)
            self.git("init", "-q", "-b", "master")
        self.write(self.repository, version, **options)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", version)

    def git(self, *arguments):
        subprocess.run(["git", *arguments], cwd=self.repository, env=self.environment, check=True)

    def releases(self):
        return sorted(system.listdir(self.path + "/releases"))

    def release(self):
        """The name of the current one."""
        return os.path.basename(os.path.realpath(self.current))

    def version(self):
        return system.read(self.current + "/VERSION").strip()

    def in_use(self):
        done = self.faf.faf("releases", "--json", "--in", self.path + "/releases", check=0)
        return {
            os.path.basename(used["release"]): [run["number"] for run in used["runs"]]
            for used in json.loads(done.stdout)
        }

    def end_runs(self):
        pathlib.Path(self.faf.out, "end").touch()


class Capistrano(App):
    """`cap` beside an sshd of its own, which ends with the test. It logs in as whoever runs the tests, or as `deploy`."""

    def __init__(self, faf, as_deploy=False):
        super().__init__(faf)
        self.ssh = faf.base + "/ssh"
        self.project = faf.base + "/project"
        for path in (self.ssh, self.ssh + "/tmp", self.project, self.project + "/config/deploy", self.path):
            os.makedirs(path, mode=0o755)
        for name in ("host_key", "key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-C", "", "-f", f"{self.ssh}/{name}"], check=True
            )
        shutil.copy(self.ssh + "/key.pub", self.ssh + "/authorized_keys")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        pathlib.Path(self.ssh, "known_hosts").write_text(
            f"[127.0.0.1]:{self.port} {system.read(self.ssh + '/host_key.pub')}"
        )
        names = {
            "app": self.path,
            "faf": faf.programs + "/faf",
            "port": self.port,
            "repository": self.repository,
            "socket": faf.socket_path,
            "ssh": self.ssh,
            "units": faf.units,
            "user": "deploy" if as_deploy else pwd.getpwuid(os.geteuid()).pw_name,
            "user_mode": "true" if faf.user_mode or not faf.root else "false",
        }
        pathlib.Path(self.ssh, "sshd_config").write_text(SSHD_CONFIG.format(**names))
        pathlib.Path(self.project, "Capfile").write_text(CAPFILE)
        pathlib.Path(self.project, "config/deploy.rb").write_text(DEPLOY.format(**names))
        pathlib.Path(self.project, "config/deploy/here.rb").touch()
        if faf.root:
            # sshd confines its unprivileged half there; the package's service makes it at boot.
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.log = self.ssh + "/log"
        command = [SSHD, "-D", "-f", self.ssh + "/sshd_config", "-E", self.log]
        if faf.root:
            command = self.in_own_namespace(command, as_deploy)
        self.sshd = faf.helper(*command)
        wait_for(self.answers, 10, lambda: f"sshd answers: {system.read(self.log)}")

    def in_own_namespace(self, command, as_deploy):
        """A command that sees another home of root (what lies in the real one must not matter here), or a user `deploy`
        with alice's uid, who may use sudo."""
        home = self.ssh + "/home"
        os.mkdir(home)
        # The repository belongs to whoever runs the tests.
        pathlib.Path(home, ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
        mounts = [(home, pwd.getpwuid(0).pw_dir)]
        if as_deploy:
            for path in (home, self.ssh + "/tmp", self.path):
                os.chown(path, ALICE, ALICE)
            mounts = []
            for name, text, mode in (
                ("passwd", system.read("/etc/passwd") + f"deploy:x:{ALICE}:{ALICE}::{home}:/bin/bash\n", 0o644),
                ("group", system.read("/etc/group") + f"deploy:x:{ALICE}:\n", 0o644),
                ("shadow", "".join(f"{user}:*:19000:0:99999:7:::\n" for user in ("root", "deploy")), 0o600),
                ("sudoers", "deploy ALL=(root) NOPASSWD: ALL\n", 0o440),
            ):
                path = pathlib.Path(self.ssh, name)
                path.write_text(text)
                path.chmod(mode)
                mounts.append((path, f"/etc/{name}"))
        script = "".join(f"mount --bind {source} {target} && " for source, target in mounts) + 'exec "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *command]

    def answers(self):
        assert self.sshd.poll() is None, system.read(self.log)
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def cap(self, *tasks, works=True, timeout=120):
        done = subprocess.run(
            ["cap", "here", *tasks],
            cwd=self.project,
            env={**self.environment, "RUBYLIB": str(CONTRIB / "capistrano/lib")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        output = f"cap {' '.join(tasks)}:\n{done.stdout}\nsshd:\n{system.read(self.log)}"
        assert (done.returncode == 0) == works, output
        return done.stdout


def needs_capistrano():
    for program, package in (("cap", "capistrano"), (SSHD, "openssh-server"), ("ssh-keygen", "openssh-client")):
        if not shutil.which(program):
            pytest.skip(f"needs {program} (Debian: apt-get install {package})")
    if not shutil.which("git"):
        pytest.skip("needs git")
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        pytest.skip("needs a user with a name: sshd lets nobody else in")
    if any(line.startswith(f"{name}:!") for line in system.read("/etc/shadow").splitlines()):
        pytest.skip(f"the account {name} is locked: sshd does not let it in")


@pytest.fixture
def capistrano(faf):
    needs_capistrano()
    return Capistrano(faf)


def test_a_release_that_a_run_uses_survives_the_cleanup_until_the_run_ends(faf, capistrano):
    """Two deploys with keep_releases 1 while a run of the first release goes on; then the gate, and a cleanup in the dark."""
    capistrano.commit("one")
    drop_in = "config/faf/units/work.task.d/more.conf"
    os.mkdir(f"{capistrano.repository}/{os.path.dirname(drop_in)}")
    pathlib.Path(capistrano.repository, drop_in).write_text("[Unit]\nDescription=of the first release\n")
    capistrano.git("add", "-A")
    capistrano.git("commit", "-q", "-m", "a drop-in")
    capistrano.cap("deploy")
    first = capistrano.release()
    assert capistrano.version() == "one" and capistrano.releases() == [first]
    assert os.path.isfile(faf.units + "/work.task") and os.path.isfile(faf.units + "/work.task.d/more.conf")
    run = faf.fire("work")
    pid = faf.main_pid(run)
    assert capistrano.in_use() == {first: [run]}

    capistrano.git("rm", "-q", drop_in)
    capistrano.commit("two")
    output = capistrano.cap("deploy")
    second = capistrano.release()
    assert capistrano.version() == "two" and capistrano.releases() == [first, second]
    assert not os.path.exists(faf.units + "/work.task.d/more.conf"), "the release no longer has it"
    assert f"keeping release {first} on 127.0.0.1: run {run} of work (running)" in output
    assert faf.main_pid(run) == pid, "the run goes on"
    assert faf.run(run)["release"] == f"{capistrano.path}/releases/{first}"

    # A bad unit stops the deploy before anything is published, and says where it is bad.
    capistrano.commit("three", unit=f"[Task]\nExecStart={capistrano.current}/bin/work\nTimeoutStopSec=never\n")
    output = capistrano.cap("deploy", works=False)
    assert "nothing is published" in output and "config/faf/units/work.task:3" in output
    assert capistrano.version() == "two" and faf.main_pid(run) == pid

    output = capistrano.cap("faf:status")
    assert f"{capistrano.path}/releases/{first}" in output

    # What nobody can say is not taken for "not in use".
    faf.kill9()
    before = capistrano.releases()
    output = capistrano.cap("deploy:cleanup")
    assert "no release is removed" in output and capistrano.releases() == before
    faf.start()
    assert capistrano.in_use() == {first: [run]}, "known from the first answer on"

    capistrano.end_runs()
    assert faf.ends(run, "succeeded")["number"] == run
    assert faf.output(f"ended.{run}").read_text() == "one\n", "its release was there to the end"
    assert capistrano.in_use() == {}
    shutil.rmtree(f"{capistrano.path}/releases/{before[-1]}")  # Of the deploy that was stopped.
    capistrano.cap("deploy:cleanup")
    assert capistrano.releases() == [second]


def test_a_rollback_keeps_the_release_that_a_run_uses(faf, capistrano):
    """deploy:rollback would archive and remove the release that it leaves. The units are linked here, not copied."""
    pathlib.Path(capistrano.project, "config/deploy/here.rb").write_text("set :faf_units_mode, :link\n")
    capistrano.commit("one")
    capistrano.cap("deploy")
    first = capistrano.release()
    held = faf.fire("work")
    faf.running(held)
    capistrano.commit("two")
    capistrano.cap("deploy")
    second = capistrano.release()
    assert os.readlink(faf.units + "/work.task") == capistrano.current + "/config/faf/units/work.task"
    run = faf.fire("work")
    pid = faf.main_pid(run)

    output = capistrano.cap("deploy:rollback")
    assert capistrano.version() == "one" and capistrano.releases() == [first, second]
    assert f"keeping release {second} on 127.0.0.1: run {run} of work (running)" in output
    assert faf.main_pid(run) == pid
    capistrano.end_runs()
    faf.ends(run, "succeeded")
    assert faf.output(f"ended.{run}").read_text() == "two\n"


@pytest.mark.root
@pytest.mark.parametrize("own", [False, True], ids=["sudo", "own-fafd"])
def test_an_ordinary_user_deploys(make_faf, own):
    """With sudo, which sees the run that somebody else has fired; and to one's own fafd, without."""
    needs_capistrano()
    if not own and not shutil.which("sudo"):
        pytest.skip("needs sudo")
    faf = make_faf(user_mode=own, uid=ALICE if own else None)
    faf.start()
    deploy = Capistrano(faf, as_deploy=True)
    old = "20200101000000"
    unit = f"[Task]\nExecStart={deploy.current}/bin/work\n" + ("" if own else f"User={ALICE}\nGroup={ALICE}\n")
    deploy.write(f"{deploy.path}/releases/{old}", "old", unit=unit)
    os.symlink(f"{deploy.path}/releases/{old}", deploy.current)
    for directory, _, files in os.walk(deploy.path):
        for name in ("", *files):
            os.chown(os.path.join(directory, name), ALICE, ALICE)
    faf.unit("work", unit)
    run = faf.fire("work")
    pid = faf.main_pid(run)

    deploy.commit("new", unit=unit)
    output = deploy.cap("deploy")
    assert deploy.version() == "new" and deploy.releases()[0] == old
    assert f"keeping release {old} on 127.0.0.1: run {run} of work (running)" in output
    installed = os.stat(faf.units + "/work.task")
    assert (installed.st_uid, installed.st_mode & 0o777) == (ALICE if own else 0, 0o644)
    assert faf.main_pid(run) == pid
    if not own:
        # Without sudo it would be told of its own runs alone.
        stage = pathlib.Path(deploy.project, "config/deploy/here.rb")
        stage.write_text('set :faf_sudo, ""\n')
        assert "does not see every run" in deploy.cap("deploy:cleanup") and deploy.releases()[0] == old
        stage.write_text("")
    deploy.end_runs()
    faf.ends(run, "succeeded")
    assert faf.output(f"ended.{run}").read_text() == "old\n"
    deploy.cap("deploy:cleanup")
    assert deploy.releases() == [deploy.release()]
    faf.ends(faf.fire("work"), "succeeded")


# ---------------------------------------------------------------- without Capistrano


def hook(faf, *arguments, works=True):
    mode = [] if faf.root else ["--user"]
    done = subprocess.run(
        [str(CONTRIB / "deploy-hook.sh"), *mode, "--units", faf.units, *arguments],
        env={**faf.environment(), "FAF": f"{faf.programs}/faf --socket {faf.socket_path}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) == works, done.stdout
    return done.stdout


def test_the_deploy_hook_publishes_and_keeps_what_runs_use(faf):
    app = App(faf)
    releases = app.path + "/releases"
    for name in ("1", "2", "3"):
        app.write(f"{releases}/{name}", name)
    hook(faf, "--keep", "1", releases + "/1")
    # Releases 2 and 3 are newer by name; 1 is kept as the current one.
    assert app.version() == "1" and app.releases() == ["1", "3"]
    run = faf.fire("work")
    pid = faf.main_pid(run)

    output = hook(faf, "--keep", "1", releases + "/3")
    assert f"keeping {releases}/1: used by run {run}\n" in output
    assert app.version() == "3" and app.releases() == ["1", "3"] and faf.main_pid(run) == pid

    app.write(f"{releases}/4", "4", unit="[Task]\nExecStart=relative\n")
    assert "nothing was changed" in hook(faf, "--keep", "1", releases + "/4", works=False)
    assert app.version() == "3"
    shutil.rmtree(releases + "/4")

    faf.kill9()
    assert "none is removed" in hook(faf, "--keep", "1", "--prune", releases, works=False)
    assert app.releases() == ["1", "3"]
    faf.start()
    app.end_runs()
    faf.ends(run, "succeeded")
    assert faf.output(f"ended.{run}").read_text() == "1\n"
    hook(faf, "--keep", "1", "--prune", releases)
    assert app.releases() == ["3"]


@pytest.mark.root
def test_a_masked_unit_is_not_unmasked_by_a_deploy(faf):
    app = App(faf)
    app.write(app.path + "/releases/1", "1")
    os.symlink("/dev/null", faf.units + "/work.task")
    assert "is masked and stays so" in hook(faf, app.path + "/releases/1")
    assert os.readlink(faf.units + "/work.task") == "/dev/null"
