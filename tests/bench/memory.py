"""Resident memory of the idle demo: launcher, web and worker, after every kind of page was seen."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from tests.bench.report import Report
from tests.project import ROOT
from tests.throwaway import free_port

MEGABYTES = 250
"""What the whole idle demo may take, shared pages counted for each process that has them."""
IDLE = 15.0
"""Seconds after the last page until it is measured: a queue's process goes when it is idle."""
PAGES = ("", "runs/", "audit/", "audit/verify/", "audit/export/", "links/")


def run(report: Report) -> None:
    """Serve the demo on a database of its own, look at every page, plan once, wait and measure."""
    if not Path("/proc/self/smaps_rollup").exists():
        report.miss("memory: this kernel does not tell it")
        return
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        url = f"sqlite:///{folder}/site.sqlite3"
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": url,
            "DEBUG": "1",
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
        }
        demo = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--serve", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            _look_around(port, _password(demo))
            time.sleep(IDLE)
            _measure(report, _processes(url))
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=120)


def _password(demo: subprocess.Popen[str]) -> str:
    """robin's, once the demo is up."""
    said = ""
    assert demo.stdout is not None
    while "Ctrl-C ends" not in said:
        line = demo.stdout.readline()
        if not line:
            raise RuntimeError(f"the demo did not start:\n{said}")
        said += line
    found = re.search(r"^    robin +(\S+)", said, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"the demo told no password:\n{said}")
    return found[1]


def _look_around(port: int, password: str) -> None:
    """Every kind of page, signed in, and one plan made by the worker."""
    site = f"http://127.0.0.1:{port}"
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))

    def get(path: str) -> str:
        with browser.open(site + path, timeout=60) as answer:
            return str(answer.read().decode())

    def post(path: str, **data: str) -> str:
        token = next(cookie.value or "" for cookie in cookies if cookie.name == "csrftoken")
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **data}).encode()
        with browser.open(site + path, body, timeout=60) as answer:
            return str(answer.geturl())

    get("/login/?next=/migrations/")
    post("/login/?next=/migrations/", username="robin", password=password)
    plan = urllib.parse.urlsplit(post("/migrations/plan/", database="default", target="")).path
    until = time.monotonic() + 60
    while "0003_coupon" not in get(plan) and time.monotonic() < until:
        time.sleep(0.2)
    for path in (*(f"/migrations/{page}" for page in PAGES), "/healthz", "/sandbox/"):
        get(path)
    try:
        get("/admin/")
        get("/migrations/runs/77/")
    except urllib.error.HTTPError as error:
        error.close()


def _processes(url: str) -> list[int]:
    """Every process that was started for this demo's database."""
    mark = f"DATABASE_URL={url}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes() + b"\0":
                    found.append(int(entry.name))
            except OSError:
                continue
    return sorted(found)


def _measure(report: Report, pids: list[int]) -> None:
    resident = shared = 0.0
    for pid in pids:
        told = dict(
            re.findall(r"^(\w+): +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
        )
        resident += int(told["Rss"]) / 1024
        shared += int(told["Pss"]) / 1024
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        print(f"    {int(told['Rss']) / 1024:6.1f} MB resident: {words[:90]}")
    report.compare(
        f"the idle demo, {len(pids)} processes, resident",
        resident,
        MEGABYTES,
        than="promised",
        unit="MB",
        at_most=1,
    )
    report.compare(
        "the same, shared pages divided among those that share them",
        shared,
        MEGABYTES,
        than="promised",
        unit="MB",
    )
