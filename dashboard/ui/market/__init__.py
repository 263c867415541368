"""The Market page: heat map, movers, breadth and correlation, brought by interval callbacks while somebody looks."""
