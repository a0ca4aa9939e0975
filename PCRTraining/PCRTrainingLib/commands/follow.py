"""`pcr follow`, which also reads tables if training is installed."""

from PCRPredictorLib.commands.follow import follow
from PCRPredictorLib.commands.options import console

from ..calls.follow_tables import add_table_reader
from ..progress import ProgressBar

__all__ = ["follow"]
add_table_reader(ProgressBar(console))
