"""Gymnasium environment for deploying and routing large language models under a budget."""
