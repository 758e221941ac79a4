"""Draw an episode as an animated picture, as in the README (needs the extra ``render``).

python examples/animate.py --out docs/episode.gif
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from stageroute_agents import make

import stageroute_gym  # noqa: F401  registers the environments

# No window is opened; read when pygame starts.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


def frames(agent_name: str, scenario: str, seed: int, count: int) -> list[NDArray[np.uint8]]:
    """``count`` pictures of an episode, unless it ends early, and its last."""
    env = gym.make("StageRoute-v0", scenario=scenario, render_mode="rgb_array")
    horizon = env.get_wrapper_attr("problem").horizon
    agent, state = make(agent_name, env), None
    observation, info = env.reset(seed=seed)
    pictures, terminated, due = [], False, 0
    while not terminated:
        if info["t"] >= due and observation["phase"][0] == 1:
            pictures.append(env.render())
            due = info["t"] + horizon // count
        action, state = agent.predict(observation, state)
        observation, _, terminated, _, info = env.step(action)
    return [*pictures, env.render()]


def main() -> None:
    """Write the animation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", default="paced-route")
    parser.add_argument("--scenario", default="outage")
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--out", type=Path, default=Path("episode.gif"))
    given = parser.parse_args()
    pictures = frames(given.agent, given.scenario, seed=0, count=given.frames)
    size = (760, round(760 * pictures[0].shape[0] / pictures[0].shape[1]))
    images = [Image.fromarray(picture).resize(size) for picture in pictures]
    # One palette for all: pictures that change little then take little room.
    palette = images[-1].quantize(64, method=Image.Quantize.MAXCOVERAGE)
    drawn = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    timing = {"duration": [150] * (len(drawn) - 1) + [2500], "loop": 0}
    drawn[0].save(given.out, save_all=True, append_images=drawn[1:], optimize=True, **timing)
    print(f"{len(drawn)} pictures, {given.out.stat().st_size / 1000:.0f} kB: {given.out}")


if __name__ == "__main__":
    main()
