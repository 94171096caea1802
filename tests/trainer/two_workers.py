"""Two worker processes of one job on loopback."""

import json
import os
import socket
import subprocess
import sys

from tests.commands.command_line import ROOT
from trainer.settings import cli_flags


def start(settings, workdir):
    """Starts the chief and the other worker; returns both processes."""
    return start_each(*arguments(settings, workdir))


def start_each(*arguments):
    """Starts Python with the same arguments as the chief and as the other."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return [
        subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "TF_CONFIG": config(workers, index)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]


def config(workers, index):
    """TF_CONFIG of one worker."""
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": workers}, "task": task})


def arguments(settings, workdir):
    """What Python is given, to train with these settings."""
    flags = cli_flags.to_flags(settings, only_changed=True)
    return ["-m", "trainer", f"--workdir={workdir}", *flags]


def free_ports(count):
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
