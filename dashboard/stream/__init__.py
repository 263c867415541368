"""Pushing to browsers: one hub thread owns every WebSocket connection."""
