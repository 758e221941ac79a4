"""Tests of stageroute_gym.optimize."""
