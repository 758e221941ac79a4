"""What shows the parts of the reproduction; see `stageroute_gym.reproduction`."""
