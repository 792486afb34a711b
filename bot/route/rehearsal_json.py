"""Rehearsals to and from plain JSON values, as they are kept and as ``rehearse --json`` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan_json import isoformat, parse_time
from bot.route.rehearsal import Deed, MeasuredStatement, Outcome, Probe, Rehearsal, RehearsedStep
from bot.route.risks.effects import Effect, Lock, Work


def rehearsal_to_json(rehearsal: Rehearsal) -> dict[str, Any]:
    return {**asdict(rehearsal), "made_at": isoformat(rehearsal.made_at)}


def rehearsal_from_json(data: dict[str, Any]) -> Rehearsal:
    return Rehearsal(
        **{
            **data,
            "made_at": parse_time(data["made_at"]),
            "steps": tuple(_step(step) for step in data["steps"]),
            "same_after_undo": Outcome(data["same_after_undo"]),
            "same_again": Outcome(data["same_again"]),
            "findings": tuple(tuple(_finding(one) for one in of) for of in data["findings"]),
            "notes": tuple(data["notes"]),
        }
    )


def _step(data: dict[str, Any]) -> RehearsedStep:
    return RehearsedStep(
        **{
            **data,
            "outcome": Outcome(data["outcome"]),
            "undo": Outcome(data["undo"]),
            "measured": tuple(_measured(one) for one in data["measured"]),
            "probes": tuple(_probe(one) for one in data["probes"]),
            "skipped": tuple(data["skipped"]),
        }
    )


def _measured(data: dict[str, Any]) -> MeasuredStatement:
    return MeasuredStatement(**{**data, "effects": tuple(_effect(one) for one in data["effects"])})


def _effect(data: dict[str, Any]) -> Effect:
    kinds = {"lock": Lock(data["lock"]), "work": Work(data["work"])}
    return Effect(**{**data, **kinds, "evidence": Evidence(data["evidence"])})


def _probe(data: dict[str, Any]) -> Probe:
    return Probe(**{**data, "deed": Deed(data["deed"]), "outcome": Outcome(data["outcome"])})


def _finding(data: dict[str, Any]) -> Finding:
    return Finding(**{**data, "level": Risk(data["level"]), "evidence": Evidence(data["evidence"])})
