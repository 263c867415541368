"""Where ticks come from: one file a source, behind the small protocol of `base.py`."""
