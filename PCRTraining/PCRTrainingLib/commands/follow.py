"""`pcr follow`, which also reads tables if training is installed."""

from PCRPredictorLib.commands.follow import follow

from .follow_tables import add_table_reader

__all__ = ["follow"]
add_table_reader()
