"""The Compare page: one to nine charts with a linked crosshair and a linked range, their bars of one callback."""
