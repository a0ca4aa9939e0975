"""An evaluation as a call asks for it: models on cohorts of images, or on tables of patients at several visits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PCRPredictorLib.bundles.folder import DEFAULT_MODEL
from PCRPredictorLib.errors import CallError
from PCRPredictorLib.model.bundle import find_bundle, load_bundle

from ..progress import Progress
from ..run_folder import RunFolder
from .inputs import LOADING, find_visits, read_tables, refuse_with_tables
from .train import Place


def evaluate_on(
    paths: Sequence[Path],
    out: Path,
    models: Sequence[str | Path],
    place: Place,
    progress: Progress,
    *,
    maps: bool = False,
    leave_out_known: bool = False,
    mapping: Path | None = None,
    units: Sequence[str] = (),
) -> RunFolder:
    """Evaluate models on cohorts, or response models on tables or cohorts with visits, and return the folder.

    Args:
        paths: folders of cohorts, or tables, of patients that no model was trained on.
        out: folder for the results.
        models: bundle folders or bundled models; none for the default one.
        progress: is told what is done.
        maps: also measure what the maps do.
        leave_out_known: leave out the patients that a model was trained on, instead of refusing them.
        mapping, units: of tables, see `read_tables`.

    Raises:
        CallError: if options do not go together.
        DataError: if the cohorts, models or folder cannot be used, or a model was trained on some of the patients.
    """
    if twice := [path for k, path in enumerate(paths) if path.resolve() in [each.resolve() for each in paths[:k]]]:
        raise CallError(f"{twice[0]} is given twice; leave one out")
    if tables := find_visits(paths):
        from PCRPredictorLib.response.bundle import DEFAULT, find_response, load_response

        from ..response.evaluate import evaluate_tables

        refuse_with_tables({"--maps": maps})
        patients = read_tables(tables, mapping, units, progress)
        loaded = [load_response(find_response(name)) for name in models or [DEFAULT]]
        evaluate_tables(patients, loaded, out, progress, leave_out_known=leave_out_known)
        return RunFolder(out)
    bundles = [load_bundle(find_bundle(name)) for name in models or [DEFAULT_MODEL]]
    progress.say(LOADING)
    from ..evaluation.evaluate import write_evaluation
    from ..training.sharing import open_training

    with open_training(place.device, place.workers, place.cluster, progress.say) as engine:
        write_evaluation(
            paths, bundles, out, place.device, progress, engine, maps=maps, leave_out_known=leave_out_known
        )
    return RunFolder(out)
