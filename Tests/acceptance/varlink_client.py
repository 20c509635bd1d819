"""Lists, fires and streams with the PyPI package `varlink`: run by test_main_job.py with a Python that has it."""

import json
import sys

import varlink

address, task = sys.argv[1:]
with varlink.Client.new_with_address("unix:" + address) as client:
    with client.open("org.varlink.service") as service:
        interfaces = service.GetInfo()["interfaces"]
        text = service.GetInterfaceDescription("io.faf.Supervisor")["description"]
    states = []
    with client.open("io.faf.Supervisor") as faf:
        run = faf.Fire(task=task, parameters={"a": "b"})["run"]["number"]
        for reply in faf.Watch(run=run, _more=True):
            states.append([reply["run"]["state"], reply["run"].get("status")])
        listed = [one["number"] for one in faf.ListRuns()["runs"]]
        try:
            faf.Fire(task="there-is-none")
            error = None
        except varlink.VarlinkError as raised:
            error = raised.error()
print(
    json.dumps(
        {"interfaces": interfaces, "description": text, "run": run, "states": states, "listed": listed, "error": error}
    )
)
