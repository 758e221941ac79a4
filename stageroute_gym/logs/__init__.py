"""Logs of LLM gateways: one model a request."""

from __future__ import annotations

from stageroute_gym.logs.log import Log, is_log_file, read_log
from stageroute_gym.logs.off_policy import OffPolicy, off_policy
from stageroute_gym.logs.workload import Logged

__all__ = ["Log", "Logged", "OffPolicy", "is_log_file", "off_policy", "read_log"]
