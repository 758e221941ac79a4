"""What a live router decides and books, as a function of the events that it met and nothing else.

Played again from a snapshot, the same events lead to the same state; so a journal of them is all
that has to be kept.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import gymnasium as gym
from numpy.typing import NDArray

from stageroute_agents.live.books import Books
from stageroute_agents.live.calendar import Calendar
from stageroute_agents.live.events import Decided, Event, Recorded, told
from stageroute_agents.live.player import Player
from stageroute_agents.live.requests import MOST_KEPT, Request, Requests
from stageroute_gym.array_types import Singles
from stageroute_gym.context import AgentContext
from stageroute_gym.errors import FieldError
from stageroute_gym.evaluation.entries import Entry
from stageroute_gym.simulator.episodes import draw_key

DECLINED, SPENT = -1, -2


class News(NamedTuple):
    """What was recorded since the last decision."""

    request: Request
    score: float | None
    cost: float
    paid: bool  # whether the cost was known before
    final: bool  # whether nothing follows


class LiveEpisode:
    """The agent, the books, and the requests between them.

    Args:
        context: as for `Router`, like the next two.
        agent: see there.
        seed: see there.
        calendar: what the clock decides.
        timeout: see there.

    Attributes:
        player: the agent.
        books: what it sees, and the spend.
        decisions: number of decisions so far.
        now: time of the last one, in seconds since 1970.
    """

    def __init__(
        self,
        context: AgentContext,
        agent: str | Entry,
        seed: int,
        calendar: Calendar,
        timeout: float,
    ) -> None:
        self.player = Player(context, agent, seed)
        generator, _ = gym.utils.seeding.np_random(seed)
        self.books = Books(context, draw_key(generator), count_stages=not calendar.windows)
        self._calendar = calendar
        self._timeout = timeout
        self._horizon = context.problem.horizon
        self._delay = context.problem.feedback_delay
        self.decisions = 0
        self.now = 0.0
        self._period: int | None = None
        self._opened = -1  # query at which the set was deployed; -1: it is still to be
        self._window_opened, self._next_window = 0.0, 0.0
        self._must_open = True
        self._requests = Requests()
        self._news: list[News] = []
        self._declined: deque[int] = deque()  # queries, until the agent is to know
        self._untold: dict[int, None] = {}  # queries that the agent has notes on
        self._counts = {"routed": 0, "declined": 0, "scored": 0, "too_late": 0}
        self._past_spend = 0.0

    def refusal(self, now: float) -> str:
        """Why a query that comes now is not decided upon; empty if it is. Changes nothing."""
        if self._period is None or self._calendar.period(now) > self._period:
            return ""
        if self.books.queries >= self._horizon and self._calendar.renew is None:
            return "horizon"
        return "budget" if self.books.exhausted() else ""

    def decide(self, now: float, features: Singles) -> int:
        """Decide on a query: the number of its model, `DECLINED` or `SPENT`.

        Args:
            now: time in seconds since 1970, no earlier than the last one.
            features: of the query, shape (F,), float32.
        """
        self.now = now
        self._turn(now)
        self._lose_overdue(now)
        self._deliver()
        books = self.books
        if self._window_is_due(now):
            self._deploy(now)
            if books.exhausted():
                self.decisions += 1
                return SPENT
        books.look(features)
        query = books.queries
        model = books.route(self.player.act(books.observation(self._stage_progress(now))))
        assert self._period is not None
        if self.player.reach >= 0:
            self._untold[query] = None
        if model < 0:
            self._counts["declined"] += 1
            self._declined.append(query)
        else:
            self._counts["routed"] += 1
            books.in_flight[model] += 1
            self._requests.send(self.decisions, Request(query, books.lap, self._period, model, now))
        self.decisions += 1
        return model

    def check(self, event: Recorded, name: str) -> None:
        """Check that something can be recorded; ``name`` is what the user calls it.

        Raises:
            FieldError: if there is no such request, or that part of it is known.
        """
        request = self._requests.get(event.number)
        if request is None:
            allowed = "the id of a decision of this router"
            if event.number < self.decisions:
                allowed = (
                    "a request whose outcome is still to be recorded: this one's is, "
                    f"or was awaited longer than those of {MOST_KEPT:,} others"
                )
            raise FieldError("id", name, allowed)
        for field, news in (("score", told(event.score)), ("cost", told(event.cost))):
            if news is not None and getattr(request, field) is not None:
                raise FieldError(field, news, f"none: that of request {name} is recorded")

        if event.final and told(event.cost) is None and request.cost is None:
            raise FieldError("cost", None, "the cost of a request of which nothing will follow")

    def apply(self, event: Event) -> None:
        """Take in what has happened, now or when the journal was written."""
        if isinstance(event, Decided):
            model = self.decide(event.time, event.features)
            if model != event.model:
                allowed = f"a store of this version of the agent, which would choose {model}"
                raise FieldError("store", event.model, allowed)
        elif isinstance(event, Recorded):
            self._record(event)
        else:
            self.books.offer(event.models)
            if (self.books.deployed & ~event.models).any():
                self._must_open = True

    def _record(self, event: Recorded) -> None:
        request = self._requests.get(event.number)
        assert request is not None
        score, cost = told(event.score), told(event.cost)
        if cost is not None:
            self._pay(request, cost)
            self._requests.paid(event.number)
        if score is not None:
            request.score = score
        if request.cost is None:
            return
        paid = cost is None
        if request.score is None:
            self._news.append(News(request, None, request.cost, paid, event.final))
            if event.final:
                self._requests.close(event.number)
            else:
                self._requests.wait(event.number)
            return
        paid = self._requests.waits(event.number)
        self._news.append(News(request, request.score, request.cost, paid, True))
        self._counts["scored"] += 1
        self._requests.close(event.number)

    def _pay(self, request: Request, cost: float) -> None:
        """Charge a cost in USD to the budget of the request's time."""
        current = request.period == self._period
        if request.charge is not None:
            if current:
                self.books.find(request.model, request.charge)
            else:
                self._past_spend -= request.charge
            request.charge = None
        self.books.pay(request.model, cost, current=current)
        if not current:
            self._past_spend += cost
        request.cost = cost

    def _lose_overdue(self, now: float) -> None:
        """Charge the requests in flight for too long at what they are expected to cost."""
        for request in self._requests.overdue(now - self._timeout):
            if request.period == self._period:
                request.charge = self.books.lose(request.model)
            else:
                request.charge = self.books.expected_cost(request.model)
                self._past_spend += request.charge
            if request.lap == self.books.lap and request.query in self._untold:
                del self._untold[request.query]
                self.player.hear(request.query, DECLINED, 0.0, request.charge)

    def _turn(self, now: float) -> None:
        """Begin a new lap where the budget is renewed, or the horizon is over before it is."""
        period = self._calendar.period(now)
        if self._period is None:
            self._period = period
        renewed = period > self._period
        if not renewed and self.books.queries < self._horizon:
            return
        self._deliver()
        # The agent cannot place what is still to come: its notes go by the number of the query.
        for query in self._untold:
            self.player.hear(query, DECLINED, 0.0, 0.0)
        self._untold.clear()
        self._declined.clear()
        if renewed:
            self._past_spend += self.books.spend
            self._period = period
        self.books.start_lap(renewed=renewed)
        self.player.start_anew()
        self._must_open = self._must_open or not self._calendar.windows

    def _deliver(self) -> None:
        """Show the agent what was recorded since the last decision."""
        books, reach = self.books, self.player.reach
        queries = books.queries
        news = False
        for request, score, cost, paid, final in self._news:
            current = request.period == self._period
            if score is None and not final:
                books.hear_cost(request.model, cost, current=current)
                continue
            news = True
            if not paid:
                books.hear(request.model, score, cost, current=current)
            elif score is not None:
                books.hear_score(request.model, score, cost)
            if reach >= 0:
                if request.lap == books.lap and request.query in self._untold:
                    del self._untold[request.query]
                    model = DECLINED if score is None else request.model
                    self.player.hear(request.query, model, score or 0.0, cost)
                else:
                    self._counts["too_late"] += 1
        self._news.clear()
        while self._declined and self._declined[0] + 1 + self._delay <= queries:
            news = True
            query = self._declined.popleft()
            books.hear_nothing()
            if reach >= 0:
                del self._untold[query]
                self.player.hear(query, DECLINED, 0.0, 0.0)
        if not news:
            books.hear_nothing()
        while self._untold and queries - 1 - (oldest := next(iter(self._untold))) >= reach:
            del self._untold[oldest]
            self.player.hear(oldest, DECLINED, 0.0, 0.0)

    def _window_is_due(self, now: float) -> bool:
        by_clock = bool(self._calendar.windows) and now >= self._next_window
        # Both are asked: the count of stages goes on where a window opens anyway.
        by_count = not self._calendar.windows and self._opened >= 0 and self.books.stage_is_over()
        return by_clock or by_count or self._must_open

    def _deploy(self, now: float) -> None:
        self._must_open = False
        first = self._opened < 0
        self._opened = self.books.queries
        if self._calendar.windows:
            self._window_opened = now
            self._next_window = self._calendar.next_window(now)
        books = self.books
        books.open_stage(first=first)
        while books.deploying:
            books.deploy(self.player.act(books.observation(self._stage_progress(now))))

    def _stage_progress(self, now: float) -> float | None:
        """The share of the stage that is over, where the problem's stages do not tell it."""
        if self._calendar.windows:
            return (now - self._window_opened) / (self._next_window - self._window_opened)
        start, end = self.books.stage_bounds()
        if self._opened <= start:
            return None
        return (self.books.queries - self._opened) / (end - self._opened)

    def report(self, models: tuple[str, ...]) -> dict[str, Any]:
        """The part of `Router.report` that lies here."""
        books = self.books
        rows = zip(
            models,
            books.offered.tolist(),
            books.deployed.tolist(),
            books.totals.tolist(),
            books.in_flight.tolist(),
            strict=True,
        )
        return {
            "spend": books.spend,
            "total_spend": self._past_spend + books.spend,
            "queries": books.queries,
            **self._counts,
            "without_outcome": len(self._requests),
            "lost": self._requests.lost,
            "models": {
                model: {
                    "offered": offered,
                    "deployed": deployed,
                    "outcomes": int(pulls),
                    "mean_score": score / pulls if pulls else None,
                    "mean_cost": cost / number if number else None,
                    "in_flight": in_flight,
                }
                for model, offered, deployed, (pulls, score, number, cost), in_flight in rows
            },
        }

    def snapshot(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The whole state: JSON-native values, and arrays."""
        # Requests that the news are about are not open any more, but still to be shown.
        books = {
            "lap": self.books.lap,
            "decisions": self.decisions,
            "now": self.now,
            "period": self._period,
            "opened": self._opened,
            "windows": [self._window_opened, self._next_window],
            "must_open": self._must_open,
            "declined": list(self._declined),
            "untold": list(self._untold),
            "counts": self._counts,
            "past_spend": self._past_spend,
            "news": [[request.values(), *rest] for request, *rest in self._news],
            "requests": self._requests.snapshot(),
        }
        arrays = {f"books.{name}": array for name, array in self.books.arrays().items()}
        arrays |= {f"agent.{name}": array for name, array in self.player.memory().items()}
        return books, arrays

    def restore(self, books: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from what `snapshot` returned.

        Raises:
            FieldError: if it is that of another version of the agent.
        """

        def part(prefix: str) -> dict[str, NDArray[Any]]:
            return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

        self.player.remember(part("agent."))
        self.books.restore(part("books."))
        self.books.lap = books["lap"]
        self.decisions, self.now, self._period = books["decisions"], books["now"], books["period"]
        self._opened, self._must_open = books["opened"], books["must_open"]
        self._window_opened, self._next_window = books["windows"]
        self._declined.extend(books["declined"])
        self._untold.update(dict.fromkeys(books["untold"]))
        self._counts.update(books["counts"])
        self._past_spend = books["past_spend"]
        self._news = [News(Request(*r), *rest) for r, *rest in books["news"]]
        self._requests.restore(books["requests"])
