"""Plays a quarter of three marketplaces on a real Kafka and holds every decision to a model of its own: see __main__.py."""
