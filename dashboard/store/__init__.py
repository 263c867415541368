"""Where ticks live: rings in memory with DataFrame views; later, history in SQL."""
