"""A live router: an agent that decides for real traffic, and whose books survive a kill."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from stageroute_agents.live.calendar import Calendar, Renewal
from stageroute_agents.live.episode import DECLINED, SPENT, LiveEpisode
from stageroute_agents.live.events import Decided, Event, Offered, Recorded, unpacked
from stageroute_agents.live.store import Store
from stageroute_gym.checks import number, switch
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError, closest
from stageroute_gym.evaluation.entries import Entry

# Events between two snapshots; reopening a store plays as many again.
_EVENTS_PER_SNAPSHOT = 10_000
# The task that stands for all that have no name of their own.
_OTHERS = "*"


class Decision(NamedTuple):
    """What becomes of a query.

    Attributes:
        id: what its outcome is to be recorded under; None if no model serves it.
        model: the model to send it to; None if it is not to be served.
        reason: ``"routed"``, ``"declined"`` (by the agent), ``"budget"`` (spent, or committed to
            requests in flight: later ones may be served) or ``"horizon"`` (it is over).
    """

    id: str | None
    model: str | None
    reason: str


class Router:
    """Routes live traffic by an agent of this project or of another package.

    The agent is shown what an environment would show it: its observations are made from the
    router's books by the simulator's own compiled code. Fed with an environment's outcomes, the
    router takes the decisions that the agent takes there, to the bit.

    Outcomes are recorded in any order, late or never. What is in flight counts against a ``hard``
    budget at its expected cost: the mean cost of its model so far, its list price before the first
    one is known, or else the largest of ``cost_bounds``. So the budget is exceeded by no more than
    what the requests in flight cost. An outcome without a score is booked to the spend alone.

    An environment knows each cost at once, though ``feedback_delay`` hides it from the agent, and
    ends with the query that spends its ``hard`` budget. A live router cannot know the costs of
    requests in flight, so the two part there, and only there: it refuses a query as soon as what is
    spent and expected reaches the budget, and serves later ones again where the requests turn out
    cheaper. Up to its first refusal it decides as the agent does in the environment, to the bit;
    with nothing in flight, it also ends with the same query.

    A request of which no cost was told within ``timeout`` is lost: it is charged at its expected
    cost, as a provider bills a request whether or not its answer arrives, and the agent is told
    that no outcome comes. Its outcome can still be recorded, which corrects the charge.

    Calls are thread-safe and take microseconds, with a commit to the store: they can be made from
    coroutines as they are. One router at a time can have a store.

    Args:
        context: what is known of the world; ``models`` names all that may ever be on offer. With
            ``renew``, its horizon is the number of queries expected in a day or month, and
            ``budget * horizon`` what these may cost. Where more come, what is left of the budget is
            spread over another horizon.
        agent: an entry of a leaderboard, such as ``stageroute(gamma=0.05)`` or the path of an agent
            file; no reference, since these know the truth.
        store: path of the SQLite file that keeps it all; None keeps nothing. See `live.store` for
            what it survives.
        seed: seed of all random numbers, at least 0; the environment's and the agent's for which
            the decisions are the same.
        windows: times of day in UTC, as ``"03:00"``, at which the deployed set may change; by
            default it changes where the problem's stages, which count queries, begin.
        renew: ``"day"`` or ``"month"`` (in UTC); None for one budget over one horizon.
        timeout: seconds after which a request is lost, above 0; looked at whenever a query comes.
        clock: the time in seconds since 1970.

    Raises:
        FieldError: if an argument is not allowed, or the store is in use, of another router, of a
            newer version or no store at all; it is left as it is then.
    """

    def __init__(
        self,
        context: AgentContext,
        agent: str | Entry,
        *,
        store: str | Path | None = None,
        seed: int = 0,
        windows: Sequence[str] = (),
        renew: Renewal | None = None,
        timeout: float = 3600.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.context = AgentContext.of(context)
        self._calendar = Calendar(windows, renew)
        timeout = number("timeout", timeout, 0, above=True, unit="seconds")
        self._episode = LiveEpisode(self.context, agent, seed, self._calendar, timeout)
        self.agent: Entry = self._episode.player.entry
        self._clock = clock
        self._lock = threading.Lock()
        self._fault: BaseException | None = None
        self._closed = False
        self._tasks = {name: place for place, name in enumerate(self.context.tasks)}
        self._numbers = {model: m for m, model in enumerate(self.context.models)}
        self._store: Store | None = None
        self._token = secrets.token_hex(4)
        self._refused = 0
        if store is not None:
            self._episode.player.memory()  # raises where a store could not keep it
            self._store = Store(
                store,
                {
                    "context": self.context.to_dict(),
                    "agent": {
                        "name": self.agent.agent,
                        "parameters": dict(self.agent.parameters),
                    },
                    "seed": seed,
                    "windows": list(self._calendar.windows),
                    "renew": renew,
                    "timeout": timeout,
                },
            )
            try:
                self._restore(self._store)
            except BaseException:
                self._store.close()
                raise

    def _restore(self, store: Store) -> None:
        self._token = store.token
        kept = store.restored()
        if kept is not None:
            self._episode.restore(*kept)
        for packed in store.journal():
            self._episode.apply(unpacked(packed))

    def choose(
        self,
        features: Sequence[float] | NDArray[Any] | None = None,
        *,
        task: str | None = None,
    ) -> Decision:
        """Decide on the query that has come.

        Args:
            features: features of the query, ``num_features`` numbers; None where there are none.
            task: the query's task, by a name of the context's `AgentContext.tasks`; ``features``
                are then those behind the tasks'. A task that these lack is one of all others, where
                they have ``"*"``.

        Raises:
            FieldError: if there is no such task, or the features are of another number, or not
                finite.
            RuntimeError: if the router is closed, or an earlier call could not be completed.
        """
        shown = self._features(features, task)
        with self._lock:
            self._check_usable()
            episode = self._episode
            now = max(self._clock(), episode.now)
            reason = episode.refusal(now)
            if reason:
                self._refused += 1
                return Decision(None, None, reason)
            try:
                self._snapshot_if_due()
                model = episode.decide(now, shown)
                number = episode.decisions - 1
                self._keep(Decided(now, model, shown))
            except BaseException as error:
                self._fault = error
                raise
        if model == SPENT:
            return Decision(None, None, "budget")
        if model == DECLINED:
            return Decision(None, None, "declined")
        return Decision(f"{self._token}-{number}", self.context.models[model], "routed")

    def record(
        self,
        id: str,
        score: float | None = None,
        *,
        cost: float | None = None,
        final: bool = False,
    ) -> None:
        """Tell the outcome of a request, or a part of it; the other part can follow.

        Once this returns, a kill of the process does not lose it.

        Args:
            id: the decision's.
            score: how good the answer was, in [0, 1]; 0 for a request that failed. The agent learns
                from requests that have both.
            cost: USD, at least 0.
            final: whether nothing will follow, where the score is not known: the agent then learns
                what it can from the cost.

        Raises:
            FieldError: if there is no such request, that part of it was told before, or a value is
                not allowed; nothing has changed then.
            RuntimeError: as `choose`.
        """
        final = switch("final", final)
        if score is None and cost is None and not final:
            raise FieldError("score", score, "a score, a cost or both")
        told_score = float("nan") if score is None else _number("score", score, 1.0)
        told_cost = float("nan") if cost is None else _number("cost", cost)
        with self._lock:
            self._check_usable()
            event = Recorded(self._number(id), told_score, told_cost, final)
            self._episode.check(event, id)
            self._commit(event)

    def issued(self, id: str) -> bool:
        """Whether an id is that of a decision of this router, or of one on the same store."""
        return str(id).startswith(f"{self._token}-")

    def available(self, models: Iterable[str]) -> None:
        """Say which models are on offer now.

        New ones can be deployed at the next window, or stage. Where a deployed model is no longer
        on offer, a window opens at once.

        Raises:
            FieldError: if a name is none of the context's models; nothing has changed then.
            RuntimeError: as `choose`.
        """
        names = [models] if isinstance(models, str) else list(models)
        offered = np.zeros(self.context.num_models, np.bool_)
        for name in names:
            if name not in self._numbers:
                raise FieldError("models", name, closest(str(name), self._numbers))
            offered[self._numbers[name]] = True
        with self._lock:
            self._check_usable()
            self._commit(Offered(offered))

    @property
    def deployed(self) -> tuple[str, ...]:
        """Names of the models that are deployed."""
        return self._names(self._episode.books.deployed)

    @property
    def offered(self) -> tuple[str, ...]:
        """Names of the models that are on offer."""
        return self._names(self._episode.books.offered)

    @property
    def spend(self) -> float:
        """USD known to be spent of the budget; with ``renew``, of this day's or month's."""
        return self._episode.books.spend

    @property
    def committed(self) -> float:
        """``spend``, and what the requests in flight are expected to cost, USD."""
        with self._lock:
            return self._episode.books.committed()

    def report(self) -> dict[str, Any]:
        """How things stand, as JSON-native values.

        ``too_late`` counts outcomes that came when the agent had no notes on their queries any
        more: they are in the means and in the spend. ``without_outcome`` counts the requests of
        which something is still to be recorded, ``lost`` those among them that were lost.
        ``refused`` counts since the router was opened.
        """
        with self._lock:
            return {
                "agent": self.agent.label,
                "budget": self.context.problem.total_budget,
                "committed": self._episode.books.committed(),
                "refused": self._refused,
                **self._episode.report(self.context.models),
            }

    def close(self) -> None:
        """Keep all in the store and close it; a router that was killed loses nothing either."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._store is not None:
                if self._fault is None:
                    self._store.snapshot(*self._episode.snapshot())
                self._store.close()

    def __enter__(self) -> Self:
        """The router itself, to be closed at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _commit(self, event: Event) -> None:
        try:
            self._snapshot_if_due()
            self._keep(event)
            self._episode.apply(event)
        except BaseException as error:
            self._fault = error
            raise

    def _snapshot_if_due(self) -> None:
        if self._store is not None and self._store.events >= _EVENTS_PER_SNAPSHOT:
            self._store.snapshot(*self._episode.snapshot())

    def _keep(self, event: Event) -> None:
        if self._store is not None:
            self._store.append(event.packed())

    def _check_usable(self) -> None:
        if self._closed:
            raise RuntimeError("the router is closed: open another one on its store")
        if self._fault is not None:
            raise RuntimeError(
                "an earlier call failed half-way: open another router on the store, which goes on "
                "from the last call that returned"
            ) from self._fault

    def _features(
        self, features: Sequence[float] | NDArray[Any] | None, task: str | None
    ) -> NDArray[np.float32]:
        size = self.context.num_features
        tasks = np.zeros(0, np.float32)
        if task is not None:
            tasks = self._one_hot(task)
            size -= len(tasks)
        if features is None and size == 0:
            return tasks
        allowed = f"{size} finite numbers, the features of the query"
        if task is None and self._tasks:
            allowed += f"; or task=, one of {', '.join(self._tasks)}"
        try:
            shown = np.array(features, np.float32)
        except (TypeError, ValueError) as error:
            raise FieldError("features", features, allowed) from error
        if shown.shape != (size,) or not np.isfinite(shown).all():
            raise FieldError("features", features, allowed)
        return np.concatenate((tasks, shown)) if task is not None else shown

    def _one_hot(self, task: str) -> NDArray[np.float32]:
        place = self._tasks.get(task, self._tasks.get(_OTHERS))
        if place is None:
            allowed = closest(str(task), self._tasks) if self._tasks else "None: it knows no tasks"
            raise FieldError("task", task, allowed)
        shown = np.zeros(len(self._tasks), np.float32)
        shown[place] = 1.0
        return shown

    def _number(self, id: str) -> int:
        token, _, digits = str(id).rpartition("-")
        # Each decision has one id: 07 is not 7.
        if token != self._token or not digits.isdecimal() or str(int(digits)) != digits:
            raise FieldError("id", id, "the id of a decision of this router")
        return int(digits)

    def _names(self, models: NDArray[np.bool_]) -> tuple[str, ...]:
        with self._lock:
            return tuple(self.context.models[m] for m in np.flatnonzero(models))


def _number(field: str, value: float, maximum: float = float("inf")) -> float:
    return number(field, value, 0, maximum, unit="USD" if field == "cost" else "")
