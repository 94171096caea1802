"""Cluster examples of docs/several_machines.md: each worker has its place."""

import json
import os
import re
import subprocess

import yaml

from tests.commands.command_line import ROOT
from trainer import runtime

TEXT = (ROOT / "docs" / "several_machines.md").read_text(encoding="utf-8")
PROGRAMS = {
    # Stands for the trainer: says where it was started, and how.
    "python": 'printf "%s\\n%s\\n" "$(echo $TF_CONFIG)" "$*"',
    "scontrol": 'test "$*" = "show hostnames nodes[1-2]" && echo n1 && echo n2',
    "srun": """\
test "$1" = --kill-on-bad-exit=0 && shift
for SLURM_PROCID in 0 1; do export SLURM_PROCID; "$@" || exit; done""",
}


def block(language):
    """What stands in the document in a language."""
    return re.search(rf"```{language}\n(.*?)```", TEXT, re.S)[1]


def run(script, folder, **variables):
    """What a script prints, with the programs above in place of real ones."""
    (folder / "bin").mkdir(exist_ok=True)
    for name, text in PROGRAMS.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / "bin" / name).chmod(0o755)
    (folder / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
    (folder / ".venv" / "bin" / "activate").touch()
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": f"{folder}/bin:{os.environ['PATH']}", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def check(lines, addresses, monkeypatch):
    """Two workers, told apart, with flags that the trainer knows."""
    assert len(lines) == 4
    made = runtime.tf.distribute
    monkeypatch.setattr(made, "MultiWorkerMirroredStrategy", lambda: "made")
    pairs = zip(lines[::2], lines[1::2], strict=True)
    for index, (config, command) in enumerate(pairs):
        assert json.loads(config) == {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": index},
        }
        monkeypatch.setenv("TF_CONFIG", config)
        assert runtime.make_strategy("multi_worker") == "made"
        assert command.startswith("-m trainer ")
        assert "--strategy=multi_worker" in command


def test_the_job_of_kubernetes_numbers_its_pods(tmp_path, monkeypatch):
    service, job = yaml.safe_load_all(block("yaml"))
    spec = job["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["command"] == ["bash", "-c"]
    (script,) = container["args"]
    lines = [
        line
        for index in range(job["spec"]["completions"])
        for line in run(script, tmp_path, JOB_COMPLETION_INDEX=str(index))
    ]
    # A pod is called JOB-NUMBER.SUBDOMAIN, where a Service has that name.
    name, subdomain = job["metadata"]["name"], spec["subdomain"]
    assert service["metadata"]["name"] == subdomain
    assert service["spec"]["selector"] == {"job-name": name}
    (port,) = [each["containerPort"] for each in container["ports"]]
    addresses = [f"{name}-{i}.{subdomain}:{port}" for i in range(2)]
    check(lines, addresses, monkeypatch)


def test_the_job_of_slurm_numbers_its_tasks(tmp_path, monkeypatch):
    lines = run(block("bash"), tmp_path, SLURM_JOB_NODELIST="nodes[1-2]")
    check(lines, ["n1:2222", "n2:2222"], monkeypatch)
