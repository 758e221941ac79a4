"""The parts of PacedRoute: what it remembers, what it concludes, how it routes and deploys."""
