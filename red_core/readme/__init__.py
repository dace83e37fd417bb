"""Measured figures as Markdown, between the markers of README.md and docs/."""
