"""What ``stageroute bench`` measures, on the machine of whoever runs it."""
