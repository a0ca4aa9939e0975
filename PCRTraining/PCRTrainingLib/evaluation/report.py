"""Pages of an evaluation and of an experiment: HTML that loads nothing from elsewhere, and Markdown for documents."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from PCRPredictorLib.formatting import MISSING, format_value
from PCRPredictorLib.prediction import RESEARCH_USE_ONLY

from ..statistics.plots import calibration_plot, forest_plot, is_known, roc_plot, training_plot

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1c2430; background: #fff;
  max-width: 78rem; margin: 2rem auto; padding: 0 1.2rem; }
:root { color-scheme: light; } h1 { font-size: 1.4em; margin: 0; } h2 { font-size: 1.2em; margin: 2em 0 .4em; }
h3 { font-size: 1em; margin: 1.4em 0 .3em; } p { margin: .5rem 0; max-width: 52rem; }
.use { color: #8a1c1c; margin: .1em 0 1em; } .headline { font-size: 1.12em; font-weight: 600; }
.small, figcaption { color: #55606e; font-size: .93em; }
.plots { display: flex; flex-wrap: wrap; gap: 0 2.5rem; }
figure { margin: 1rem 0; } img { max-width: 100%; display: block; }
.table { overflow-x: auto; } table { border-collapse: collapse; font-size: .93em; }
tr { border-bottom: 1px solid #e6e9ee; } thead tr { border-bottom: 2px solid #aab2bd; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; font-variant-numeric: tabular-nums; }
th { font-weight: 600; min-width: 7rem; } thead th { font-weight: 500; color: #55606e; vertical-align: bottom; }
thead th { min-width: 0; } td { overflow-wrap: break-word; } .short { white-space: nowrap; }
pre { font-size: .85em; overflow-x: auto; background: #f5f6f8; padding: .8rem; }
@page { size: A4 landscape; margin: 12mm; }
@media print { body { font-size: 9pt; margin: 0; padding: 0; max-width: none; }
  img { max-height: 85mm; } figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } }
"""
_LIMIT = "the best possible AUC of this cohort"
_INTERVALS = "In brackets: 95 % intervals over patients."
_READ_EXPERIMENT = (
    "AUC is of the prediction averaged over the seeds; beside it, the lowest and highest of a single seed. Operating "
    "points are never fixed on the patients that they are read on: out of fold they are fixed on the other folds, of a "
    "part held out once on its other patients; elsewhere on the training cohort. Gap closed: share of the way from the "
    "baseline's AUC to the best possible."
)
_READ_PAIRS = "p: DeLong. Sensitivity at the specificity of the other model's own operating point."
_PAIR_HEADS = {"other": "Compared with", "auc_difference": "AUC difference", "p": "p"}
_RATES = ("sensitivity", "specificity", "sensitivity_at_baseline_specificity")
_READ_MODELS = "Rates are at the operating point. MAMA-MIA's challenge score joins balanced accuracy with fairness."
_COURSE = "Loss and share of the attention inside the tumour, of the patients trained on, epoch by epoch."
_READ_ATTENTION = "In tumour: share of the map in the mask. Pointing game: share of patients with the peak in it."
Interval = dict[str, float | None]  # value, low, high


@dataclass(frozen=True)
class _Table:
    """A table of plain text; the first column names the row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def html(self) -> str:
        """Everything escaped; nothing for a table without rows."""
        if not self.rows:
            return ""
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.head)
        body = "\n".join(
            f'<tr><th scope="row">{escape(row[0])}</th>{"".join(map(_cell, row[1:]))}</tr>' for row in self.rows
        )
        return (
            f'<h3>{escape(self.title)}</h3>\n<div class="table"><table><thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{body}\n</tbody></table></div>\n{_small(self.note)}"
        )

    def markdown(self) -> str:
        """The same as a table of GitHub-flavoured Markdown."""
        if not self.rows:
            return ""
        head, *rows = [" | ".join(map(_marked, line)) for line in (self.head, *self.rows)]
        body = "\n".join(f"| {row} |" for row in (head, " | ".join(["---"] * len(self.head)), *rows))
        return f"### {_marked(self.title)}\n\n{body}\n" + (f"\n{_marked(self.note)}\n" if self.note else "")


def render_evaluation(result: dict[str, Any], histories: Mapping[str, list[dict]] | None = None) -> str:
    """HTML page of `evaluation.evaluate`'s result, and of the course of training; None shows as a dash."""
    purpose = f"How well models predict pathological complete response (pCR) from breast DCE-MRI. {_INTERVALS}"
    rows = [[m["name"], m["version"], m["training_data"], m["checksum"][:16]] for m in result["models"]]
    models = _Table("Models", ("Name", "Version", "Trained on", "SHA-256"), rows).html()
    headline = " ".join(_evaluation_headline(cohort) for cohort in result["cohorts"])
    cohorts = "\n".join(_evaluated_cohort(cohort) for cohort in result["cohorts"])
    course = f"<h2>Training</h2>\n{_figure(training_plot(histories), 'Training', _COURSE)}" if histories else ""
    body = f"{cohorts}\n{course}\n{models}\n{_versions(result)}"
    return _page("Evaluation of pCR prediction", purpose, headline, body)


def render_experiment(result: dict[str, Any]) -> str:
    """HTML page of `experiment.tabulate`'s result with its title, configuration and time; None shows as a dash."""
    parts = [_small(_training(result)), _rows_table(result).html()]
    for cohort in result["cohorts"]:
        aucs = [(row["name"], _auc(row, cohort)) for row in result["rows"]]
        parts += [f"<h2>{escape(_where(cohort))}</h2>", f"<p>{escape(_about(cohort, cohort['best_possible_auc']))}</p>"]
        parts += [_cohort_table(result, cohort).html(), _forest(aucs, cohort["best_possible_auc"], _LIMIT)]
    config = escape(json.dumps(result["config"], indent=2, ensure_ascii=False))
    config = f"<details><summary>Configuration</summary>\n<pre>{config}</pre></details>"
    parts += ["<h2>All cohorts</h2>", _pair_table(result["comparisons"]).html(), config, _versions(result)]
    purpose = f"Models trained in different ways on the same patients and folds, to predict pCR. {_INTERVALS}"
    return _page(result["title"], purpose, _experiment_headline(result), "\n".join(parts))


def experiment_markdown(result: dict[str, Any]) -> str:
    """The tables of `render_experiment` as Markdown, for documentation."""
    parts = [f"## {_marked(result['title'])}\n", f"{_marked(_experiment_headline(result))} {_INTERVALS}\n"]
    parts += [f"{_marked(_training(result))}\n", _rows_table(result).markdown()]
    for cohort in result["cohorts"]:
        about = _marked(_about(cohort, cohort["best_possible_auc"]))
        parts += [f"### {_marked(_where(cohort))}\n", f"{about}\n", _cohort_table(result, cohort).markdown()]
    parts += [_pair_table(result["comparisons"]).markdown(), f"{RESEARCH_USE_ONLY}\n"]
    return "\n".join(part for part in parts if part)


def _evaluation_headline(cohort: dict[str, Any]) -> str:
    """The best AUC of a cohort in a sentence."""
    models = [model for model in cohort["models"] if is_known(model["auc"]["value"])]
    counts = f"On {cohort['name']} ({cohort['patients']} patients, {cohort['positives']} with pCR)"
    if not models:
        return f"{counts} no AUC can be given."
    best = max(models, key=lambda model: model["auc"]["value"])
    does = "has an AUC of" if len(models) == 1 else f"has the highest AUC of {len(models)} models,"
    return f"{counts}, {best['name']} {does} {format_value(best['auc'])}."


def _experiment_headline(result: dict[str, Any]) -> str:
    """The row with the best AUC in the first cohort, and what the same row reaches in the others."""
    cohorts = result["cohorts"]
    rows = [row for row in result["rows"] if cohorts and is_known(_auc(row, cohorts[0])["value"])]
    if not rows:
        return "No AUC can be given."
    best = max(rows, key=lambda row: _auc(row, cohorts[0])["value"] or 0.0)
    first, *others = [f"{format_value(_auc(best, cohort))} ({cohort['name']})" for cohort in cohorts]
    rest = f"; the same model reaches {', '.join(others)}" if others else ""
    return f"Highest AUC of {len(result['rows'])} models: {best['name']}, {first}{rest}."


def _auc(row: dict[str, Any], cohort: dict[str, Any]) -> Interval:
    return row["cohorts"].get(cohort["name"], {}).get("auc") or {"value": None, "low": None, "high": None}


def _evaluated_cohort(cohort: dict[str, Any]) -> str:
    """Tables first, then ROC and calibration, then subgroups."""
    models, best = cohort["models"], cohort["best_possible_auc"]
    rocs = {m["name"]: (m["roc"]["false_positive_rate"], m["roc"]["sensitivity"], m["auc"]["value"]) for m in models}
    calibration = calibration_plot({model["name"]: model["calibration_curve"] for model in models})
    plots = _figure(roc_plot(rocs), "ROC curves", "Sensitivity against false alarms at every threshold.")
    plots += _figure(calibration, "Calibration", "Observed against predicted share with pCR, with 95 % intervals.")
    if len(models) > 1:
        aucs = [(model["name"], model["auc"]) for model in models]
        plots += _forest(aucs, (best or {}).get("value"), _LIMIT)
    about = f"{_about(cohort, best)} {cohort['left_out']} more were left out."
    parts = [f"<h2>{escape(cohort['name'])}</h2>\n<p>{escape(about)}</p>", _model_table(models).html()]
    parts += [_pair_table(cohort["comparisons"]).html(), _attention_table(models).html()]
    parts += [f'<div class="plots">{plots}</div>', *(_subgroups(model) for model in models)]
    return "\n".join(parts)


def _model_table(models: list[dict[str, Any]]) -> _Table:
    head = ("Model", "AUC", "Sensitivity", "Specificity", "Balanced accuracy", "Brier score", "Challenge score")
    rates, rows = ("sensitivity", "specificity", "balanced_accuracy"), []
    for model in models:
        point = model["operating_point"]
        row = [model["name"], format_value(model["auc"]), *(format_value(model[rate]) for rate in rates)]
        row += [format_value(model["brier"], 3), format_value(model["challenge_score"])]
        rows.append([*row, point["name"], format_value(point["threshold"])])
    return _Table("Performance", (*head, "Operating point", "Its threshold"), rows, _READ_MODELS)


def _pair_table(pairs: list[dict[str, Any]]) -> _Table:
    """Of an evaluation or an experiment, each with columns of its own, in their order."""
    head = [_PAIR_HEADS.get(key, key.replace("_", " ").capitalize()) for key in (pairs[0] if pairs else ())]
    rows = [[_pair_cell(key, value) for key, value in pair.items()] for pair in pairs]
    return _Table("Comparisons on the same patients", head, rows, _READ_PAIRS)


def _pair_cell(key: str, value: Any) -> str:  # noqa: ANN401
    if key == "p":
        return "< 0.001" if is_known(value) and value < 0.001 else format_value(value, 3)
    if key.endswith("difference"):
        return format_value(value, 3, signed=True)
    return format_value(value)


def _attention_table(models: list[dict[str, Any]]) -> _Table:
    head = ("Model", "Map", "In tumour", "Pointing game", "In tumour, random weights")
    rows = []
    for model in models:
        if found := model["attention"]:
            shares = [format_value(found["in_tumour"]), format_value(found["pointing_game"])]
            rows.append([model["name"], found["map"] or MISSING, *shares, format_value(found["randomised_in_tumour"])])
    return _Table("Where the models looked", head, rows, _READ_ATTENTION)


def _subgroups(model: dict[str, Any]) -> str:
    """Table and forest plot of one model's subgroups."""
    groups = model["subgroups"]
    if not groups:
        return ""
    head = ("Variable", "Group", "Patients", "With pCR", "AUC", "Sensitivity", "Specificity")
    rows = [
        [group["variable"].replace("_", " "), group["group"], str(group["patients"]), str(group["positives"])]
        + [format_value(group["auc"]), format_value(group["sensitivity"]), format_value(group["specificity"])]
        for group in groups
    ]
    named = [(f"{row[0]}: {row[1]}", group["auc"]) for row, group in zip(rows, groups, strict=True)]
    plot = _forest(named, model["auc"]["value"], "all patients")
    return _Table(f"Subgroups, {model['name']}", head, rows).html() + plot


def _where(cohort: dict[str, Any]) -> str:
    return "Out of fold" if cohort["name"] == cohort["role"] else f"{cohort['name']}, {cohort['role']}"


def _about(cohort: dict[str, Any], best: Interval | float | None) -> str:
    """Patients of a cohort and the best that any model could reach there."""
    limit = format_value(best)
    words = f"{cohort['patients']} patients, {cohort['positives']} with pCR."
    return words if limit == MISSING else f"{words} Best possible AUC {limit}."


def _training(result: dict[str, Any]) -> str:
    training, seeds = result["training"], result["seeds"]
    return (
        f"Trained on {training['name']}: {training['patients']} patients, {training['positives']} with pCR, "
        f"{training['left_out']} left out. Folds: {training['folds']}. Seeds: {', '.join(map(str, seeds))}. "
        f"Took {result['seconds'] / 3600:.1f} hours."
    )


def _rows_table(result: dict[str, Any]) -> _Table:
    return _Table("The models", ("Model", "What it is"), [[row["name"], row["what"]] for row in result["rows"]])


def _cohort_table(result: dict[str, Any], cohort: dict[str, Any]) -> _Table:
    """Every row on one cohort, in the given order."""
    head = ["Model", "AUC", "Over seeds", "Sensitivity", "Specificity", "Sensitivity at baseline's specificity"]
    head += ["Brier score", "Gap closed", "Attention in tumour", "Pointing game"]
    rows = []
    for row in result["rows"]:
        found = row["cohorts"].get(cohort["name"]) or {}
        seeds = [value for value in found.get("auc_per_seed") or [] if is_known(value)]
        spread = f"{min(seeds):.2f} to {max(seeds):.2f}" if len(seeds) > 1 else MISSING
        shown = f" ({found['attention_map']})" if found.get("attention_map") else ""
        cells = [row["name"], format_value(found.get("auc")), spread]
        cells += [format_value(found.get(key)) for key in _RATES]
        cells += [format_value(found.get("brier"), 3), format_value(found.get("gap_closed"))]
        cells += [format_value(found.get("attention_in_tumour")) + shown, format_value(found.get("pointing_game"))]
        rows.append(cells)
    return _Table("Results", head, rows, _READ_EXPERIMENT if cohort is result["cohorts"][0] else "")


def _page(title: str, purpose: str, headline: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title><style>{_STYLE}</style></head>
<body><main><h1>{escape(title)}</h1>
<p class="use">{escape(RESEARCH_USE_ONLY)}</p>
<p>{escape(purpose)}</p><p class="headline">{escape(headline)}</p>
{body}
</main></body></html>
"""


def _forest(rows: Sequence[tuple[str, Interval | None]], reference: float | None, what: str) -> str:
    values = [(n, auc["value"], auc["low"], auc["high"]) if auc else (n, None, None, None) for n, auc in rows]
    caption = "AUC with its 95 % interval." + (f" Dashed: {what}." if is_known(reference) else "")
    return _figure(forest_plot(values, reference, "AUC"), "Forest plot of the AUC", caption)


def _figure(svg: str, alt: str, caption: str) -> str:
    data = base64.b64encode(svg.encode()).decode("ascii")
    picture = f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>\n"


def _versions(result: dict[str, Any]) -> str:
    return _small("Software: " + ", ".join(f"{name} {version}" for name, version in result["versions"].items()))


def _cell(text: str) -> str:
    """Numbers and other short texts stay on one line."""
    return f"<td{' class=short' * (len(text) < 28)}>{escape(text)}</td>"


def _small(text: str) -> str:
    return f'<p class="small">{escape(text)}</p>' if text else ""


def _marked(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return re.sub(r"([\\`*\[\]|])", r"\\\1", escape(" ".join(text.split()), quote=False))
