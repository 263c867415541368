"""The database: engine, declarative base, migrations, and the one writer thread of the hot path."""
