"""Alerts: rules that users make, the engine that watches them, and what they have said."""
