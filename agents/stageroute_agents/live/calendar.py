"""What the clock decides: when the deployed set may change, and when the budget is renewed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, get_args

from stageroute_gym.checks import choice
from stageroute_gym.errors import FieldError

Renewal = Literal["day", "month"]

_DAY = 86_400.0


class Calendar:
    """Maintenance windows and renewals of the budget, in UTC.

    Args:
        windows: times of day as ``"03:00"`` at which the deployed set may change; empty where the
            problem's stages, which count queries, decide.
        renew: ``"day"`` or ``"month"``, after which the budget is given anew; None for one budget
            over the horizon.

    Raises:
        FieldError: if a time or ``renew`` is none of these.
    """

    def __init__(self, windows: Sequence[str] = (), renew: Renewal | None = None) -> None:
        allowed = "times of day from 00:00 to 23:59 in UTC, each once, such as ('03:00', '15:00')"
        if isinstance(windows, str) or not all(isinstance(time, str) for time in windows):
            raise FieldError("windows", windows, allowed)
        for time in windows:
            if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", time) or windows.count(time) > 1:
                raise FieldError("windows", time, allowed)
        self.windows = tuple(sorted(windows))
        self.renew = None if renew is None else choice("renew", renew, get_args(Renewal))
        self._seconds = [60.0 * (60 * int(time[:2]) + int(time[3:])) for time in self.windows]

    def next_window(self, now: float) -> float:
        """When the first window after ``now`` opens, both in seconds since 1970."""
        midnight = now - now % _DAY
        opened = [midnight + second for second in (*self._seconds, _DAY + self._seconds[0])]
        return next(time for time in opened if time > now)

    def period(self, now: float) -> int:
        """Number of the day or month that ``now`` belongs to; 0 where nothing is renewed."""
        if self.renew is None:
            return 0
        if self.renew == "day":
            return int(now // _DAY)
        date = datetime.fromtimestamp(now, UTC)
        return 12 * date.year + date.month
