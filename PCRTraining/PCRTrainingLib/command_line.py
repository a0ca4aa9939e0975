"""The whole command `pcr`: the subcommands of prediction, the page, and those for cohorts."""

import sys

from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.commands.bundle import bundle
from PCRPredictorLib.commands.options import ManyValues
from PCRPredictorView.command_line import view

from .commands.check import check
from .commands.estimate import estimate
from .commands.evaluate import evaluate
from .commands.experiment import experiment
from .commands.follow_tables import add_table_reader
from .commands.import_dicom import import_dicom
from .commands.init import init
from .commands.label import label
from .commands.recalibrate import recalibrate
from .commands.select import select
from .commands.train import train

for subcommand in (view, init, check, label, estimate, train, select, evaluate, experiment):
    app.command(cls=ManyValues)(subcommand)
bundle.command()(recalibrate)
app.command("import", cls=ManyValues)(import_dicom)
add_table_reader()


def main() -> None:
    """Run `pcr`."""
    sys.exit(run(app))


if __name__ == "__main__":
    main()
