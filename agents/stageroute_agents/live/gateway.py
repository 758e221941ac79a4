"""A live router in LiteLLM: it chooses the deployment, and LiteLLM tells it what came of it.

`install` puts both into a ``litellm.Router``, that of LiteLLM's proxy too. A deployment is known by
its ``model_info.id``, which is to be the name of its model in the router's context. Needs the extra
``litellm``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.router import CustomRoutingStrategyBase

from stageroute_agents.live.router import Router
from stageroute_gym.errors import FieldError, closest

# Where a request's decision travels through LiteLLM, in the request's metadata.
_DECISION = "stageroute_decision"
# LiteLLM copies its callbacks to these lists when the first request comes.
_CALLBACKS = (
    "callbacks",
    "success_callback",
    "failure_callback",
    "_async_success_callback",
    "_async_failure_callback",
)

# Of the request as LiteLLM describes it: features, the name of its task, and, with the answer, a
# score in [0, 1] or None.
Features = Callable[[dict[str, Any]], Sequence[float]]
Task = Callable[[dict[str, Any]], str]
Score = Callable[[dict[str, Any], Any], float | None]


class RoutingStrategy(CustomRoutingStrategyBase):
    """Has a live router choose among the deployments of a ``litellm.Router``.

    Args:
        router: the live router.
        gateway: the ``litellm.Router``.
        features: the features of a request; None where the context has none.
        task: the name of its task, as for `Router.choose`; None where that is not told.
    """

    def __init__(
        self,
        router: Router,
        gateway: Any,
        features: Features | None = None,
        task: Task | None = None,
    ) -> None:
        self._router = router
        self._gateway = gateway
        self._features = features
        self._task = task

    async def async_get_available_deployment(
        self,
        model: str,
        messages: Any = None,
        input: Any = None,
        specific_deployment: bool | None = False,
        request_kwargs: dict[str, Any] | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        """The deployment for a request; see `get_available_deployment`."""
        return self.get_available_deployment(
            model, messages, input, specific_deployment, request_kwargs
        )

    def get_available_deployment(
        self,
        model: str,
        messages: Any = None,
        input: Any = None,
        specific_deployment: bool | None = False,
        request_kwargs: dict[str, Any] | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        """The deployment for a request, as an entry of the ``model_list``.

        Raises:
            litellm.BudgetExceededError: if the budget is spent, or committed.
            litellm.ServiceUnavailableError: if the agent declines the request, or the horizon is
                over.
            FieldError: if the gateway has no deployment of the model that was chosen.
        """
        request = {} if request_kwargs is None else request_kwargs
        described = {**request, "model": model, "messages": messages, "input": input}
        decision = self._router.choose(
            self._features(described) if self._features else None,
            task=self._task(described) if self._task else None,
        )
        if decision.reason == "budget":
            budget = self._router.context.problem.total_budget
            raise litellm.BudgetExceededError(self._router.committed, budget)
        if decision.model is None:
            raise litellm.ServiceUnavailableError(
                f"no model serves this request: {decision.reason}", "stageroute", model
            )
        for deployment in self._gateway.model_list:
            if deployment["model_info"]["id"] == decision.model:
                # A new dictionary: each attempt at a request has a decision of its own.
                key = "litellm_metadata" if "litellm_metadata" in request else "metadata"
                request[key] = {**(request.get(key) or {}), _DECISION: decision.id}
                return dict(deployment)
        assert decision.id is not None
        self._router.record(decision.id, 0.0, cost=0.0)
        ids = [deployment["model_info"]["id"] for deployment in self._gateway.model_list]
        raise FieldError("model_info.id", decision.model, closest(decision.model, ids))


class Recorder(CustomLogger):
    """Tells a live router what each request cost by LiteLLM's accounting, and how good it was.

    A request that failed scored 0, and cost what LiteLLM says, or nothing.

    Args:
        router: the live router.
        score: the score of an answer; None where it is not known.
    """

    def __init__(self, router: Router, score: Score) -> None:
        super().__init__()
        # LiteLLM takes loggers of one class for one, unless a public text tells them apart.
        self.name = secrets.token_hex(8)
        self._router = router
        self._score = score

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Record an answer."""
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Record a failure."""
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    def log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """As `async_log_success_event`."""
        decision = self._decision_of(kwargs)
        if decision is not None:
            score = self._score(kwargs, response_obj)
            self._router.record(decision, score, cost=_cost_of(kwargs), final=True)

    def log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """As `async_log_failure_event`."""
        decision = self._decision_of(kwargs)
        if decision is not None:
            self._router.record(decision, 0.0, cost=_cost_of(kwargs))

    def remove(self) -> None:
        """Record nothing more, as before the router is closed."""
        for name in _CALLBACKS:
            callbacks = getattr(litellm, name)
            callbacks[:] = [callback for callback in callbacks if callback is not self]

    def _decision_of(self, kwargs: dict[str, Any]) -> str | None:
        """The router's decision on a request, None if it was another router's, or none's."""
        parameters = kwargs.get("litellm_params") or {}
        for key in ("metadata", "litellm_metadata"):
            found = (parameters.get(key) or {}).get(_DECISION)
            if found is not None and self._router.issued(found):
                return str(found)
        return None


def install(
    router: Router,
    gateway: Any,
    score: Score,
    features: Features | None = None,
    task: Task | None = None,
) -> Recorder:
    """Have a live router choose in a ``litellm.Router``, and record what comes of it.

    Args:
        router: the live router.
        gateway: the ``litellm.Router``.
        score: as for `Recorder`.
        features: as for `RoutingStrategy`.
        task: see there.

    Returns:
        What was added to LiteLLM's callbacks; to be removed before the router is closed.
    """
    gateway.set_custom_routing_strategy(RoutingStrategy(router, gateway, features, task))
    recorder = Recorder(router, score)
    litellm.callbacks.append(recorder)
    return recorder


def _cost_of(kwargs: dict[str, Any]) -> float:
    return float(kwargs.get("response_cost") or 0.0)
