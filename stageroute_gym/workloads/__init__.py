"""Workloads: the table of outcomes that a scenario draws from, and its schedule over the stages."""

from __future__ import annotations

from stageroute_gym.workloads.changes import Drift, Outage, PriceChange, Regression
from stageroute_gym.workloads.changing import Changing
from stageroute_gym.workloads.convert import convert
from stageroute_gym.workloads.featured import Featured
from stageroute_gym.workloads.figures import Figures
from stageroute_gym.workloads.hard import HiddenModel, LateNewcomers
from stageroute_gym.workloads.newcomers import Newcomers
from stageroute_gym.workloads.outcome_files import (
    FileReport,
    ModelReport,
    check_file,
    is_outcome_format,
    read_outcomes,
)
from stageroute_gym.workloads.recorded import Recorded
from stageroute_gym.workloads.schedule import Schedule
from stageroute_gym.workloads.splitting import split
from stageroute_gym.workloads.table import OutcomeTable
from stageroute_gym.workloads.workload import AnyWorkload, Change, OfSeed, PerSeedWorkload, Workload
from stageroute_gym.workloads.worlds import RandomWorld

__all__ = [
    "AnyWorkload",
    "Change",
    "Changing",
    "Drift",
    "Featured",
    "Figures",
    "FileReport",
    "HiddenModel",
    "LateNewcomers",
    "ModelReport",
    "Newcomers",
    "OfSeed",
    "Outage",
    "OutcomeTable",
    "PerSeedWorkload",
    "PriceChange",
    "RandomWorld",
    "Recorded",
    "Regression",
    "Schedule",
    "Workload",
    "check_file",
    "convert",
    "is_outcome_format",
    "read_outcomes",
    "split",
]
