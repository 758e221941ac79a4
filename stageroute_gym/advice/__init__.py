"""Advice for a gateway: which models to deploy, what to send where, and what it is worth."""

from __future__ import annotations

from stageroute_gym.advice.advising import Advice, advise
from stageroute_gym.advice.evidence import Evidence, TableEvidence
from stageroute_gym.advice.log_evidence import LogEvidence
from stageroute_gym.advice.log_report import LogReport, log_report
from stageroute_gym.advice.material import Material, read_material
from stageroute_gym.advice.plans import Limits, Plan
from stageroute_gym.advice.wishes import Wishes

__all__ = [
    "Advice",
    "Evidence",
    "Limits",
    "LogEvidence",
    "LogReport",
    "Material",
    "Plan",
    "TableEvidence",
    "Wishes",
    "advise",
    "log_report",
    "read_material",
]
