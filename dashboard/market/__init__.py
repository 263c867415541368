"""The domain: instruments, ticks, bars and their arithmetic. No I/O, no threads, no Flask."""
