"""What computes the parts of the reproduction; see `stageroute_gym.reproduction`."""
