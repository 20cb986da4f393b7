"""What is known: every number with unit, source and status."""
