"""A parent as small as can be, for tests: starts a child in a project and prints what it says.

    python -m tests.database.driver '{"do": "run", "target": "shop"}'

``do``      plan: a PlanJob; run: make the plan here, then a RunJob on its basis; rehearse: the
            same with a RehearseJob
``basis``   a basis from an earlier plan, to run on instead
``say_no``  maps "Locked" or a step's key to the words of a no; ``second_time`` the same for when
            it asks again
``checks``    False: the run asks today's data nothing; else a list of codes of what was broken when
            the plan was made and was accepted
``die_at``  a step's key at whose start this parent kills itself
``before``  source run when the plan is made and the child not yet started
``during``  maps "Locked" or a step's key to source run before it is answered
Each message is printed as it is sent, after one line with the child's pid and why it is not a fork.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, datetime
from typing import Any

import django


def main(wishes: dict[str, Any]) -> None:
    django.setup()
    from bot.database import process
    from bot.database.messages import Answer, Died, PlanJob, RehearseJob, RunJob, StepStarting
    from bot.database.messages_json import to_line
    from bot.database.planner import make_plan
    from bot.route.data_checks import to_ask_again
    from bot.route.plan import Target
    from bot.route.plan_json import basis_from_json

    process.warm_up()
    target = Target.parse(wishes.get("target", "shop"))
    database = wishes.get("database", "default")
    checks: tuple[Any, ...] = ()
    job: Any = PlanJob(database=database, target=target)
    if wishes["do"] == "run":
        if "basis" in wishes:
            basis = basis_from_json(wishes["basis"])
        else:
            plan = make_plan(database, target, now=datetime.now(UTC))
            basis, target = plan.basis, plan.target
            codes = wishes.get("checks", [])
            known = [f.place for f in plan.all_findings if codes and f.code in codes]
            checks = () if codes is False else to_ask_again(plan.checks, known)
        job = RunJob(run=12, database=database, target=target, basis=basis, checks=checks)
    elif wishes["do"] == "rehearse":
        plan = make_plan(database, target, now=datetime.now(UTC))
        job = RehearseJob(database=database, target=target, basis=plan.basis)
    names: dict[str, Any] = {}
    asked: set[str] = set()
    exec(wishes.get("before", ""), names)
    why = process.why_not_forked()
    with process.start(job) as child:
        print(json.dumps({"kind": "Started", "pid": child.pid, "why": why}), flush=True)
        for message in child.messages(every=0.2):
            if message is None:
                continue
            if isinstance(message, Died):
                told = {"kind": "Died", "signal": message.signal, "code": message.exit_code}
                print(json.dumps({**told, "output": message.output}), flush=True)
                return
            print(to_line(message).decode(), end="", flush=True)
            name = type(message).__name__
            at = message.key if isinstance(message, StepStarting) else name
            if message.asks:
                if at not in asked:
                    exec(wishes.get("during", {}).get(at, ""), names)
                if wishes.get("die_at") == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                again = at in asked
                asked.add(at)
                because = wishes.get("second_time" if again else "say_no", {}).get(at)
                child.answer(Answer(go=because is None, because=because or ""))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
