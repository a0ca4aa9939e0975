"""The report: one HTML file that a radiologist reads and prints; it loads nothing from elsewhere and runs nothing."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape

import numpy as np

from ..exam import Exam
from ..prediction import RESEARCH_USE_ONLY, AttentionSummary, Prediction, TumourSummary
from .display import describe_offset
from .wording import describe_image_alone

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: #1c2430; background: #fff;
  max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.4em; margin: 0; } h2 { font-size: 1.12em; margin: 1.5em 0 .4em; }
p { margin: .5rem 0; }
.use { color: #8a1c1c; margin: .1em 0 1.2em; }
.result { display: flex; flex-wrap: wrap; gap: .6rem 2.5rem; align-items: center; }
.probability { font-size: 3.6em; font-weight: 700; line-height: 1.05; }
.small, figcaption { color: #55606e; font-size: .93em; }
.decision { font-size: 1.2em; font-weight: 600; margin-top: 1rem; }
.warnings { background: #fff7e0; border-left: 4px solid #b07800; padding: .5rem 1rem; margin: 1.1rem 0; }
.warnings h2 { margin: 0; } .warnings ul { margin: .2rem 0; padding-left: 1.2rem; }
figure { margin: 1.2rem 0; } img { width: 100%; display: block; border-radius: 4px; } figcaption { margin-top: .4rem; }
svg { max-width: 100%; height: auto; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 3rem; }
table { border-collapse: collapse; width: 100%; }
tr { border-bottom: 1px solid #e6e9ee; }
th { text-align: left; font-weight: 500; color: #55606e; padding: .25rem 1rem .25rem 0; width: 11rem; }
th, td { vertical-align: top; } td { padding: .25rem 0; overflow-wrap: anywhere; }
@page { size: A4; margin: 14mm; }
@media print {
  body { font-size: 9pt; line-height: 1.4; margin: 0; padding: 0; max-width: none; -webkit-print-color-adjust: exact;
    print-color-adjust: exact; }
  img { width: auto; max-width: 100%; max-height: 112mm; } .result { flex-wrap: nowrap; }
  h2 { margin-top: 1rem; } figure { margin: .6rem 0; } .decision { margin-top: .4rem; }
  figure, tr, .warnings, .result { break-inside: avoid; } h2 { break-after: avoid; }
  .columns { break-before: page; grid-template-columns: 1fr 1fr; gap: 0 2rem; } th { width: 8rem; }
}
"""


def render_report(exam: Exam, prediction: Prediction, overlay_png: bytes, *, show_patient_id: bool = False) -> str:
    """HTML of one prediction.

    Args:
        exam: that was predicted.
        overlay_png: the picture, from `overlay.save_overlay`.
        show_patient_id: whether the patient is named; otherwise nothing of the exam's provenance appears.
    """
    patient = ""
    if show_patient_id:
        patient = f"<p>Patient {escape(exam.provenance.patient_id or 'without an identifier')}</p>\n"
    picture = base64.b64encode(overlay_png).decode("ascii")
    clinical = _table(prediction.clinical) if prediction.clinical else "<p>None: this model reads the image alone.</p>"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>Predicted response to neoadjuvant therapy</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>Predicted response to neoadjuvant therapy, from breast DCE-MRI</h1>
<p class="use">{escape(RESEARCH_USE_ONLY)}</p>
{patient}{_result(prediction)}
{_warnings(prediction)}
<p class="small">Model {escape(prediction.model.name)}, trained on: {escape(prediction.model.training_data)}
Intended use: {escape(prediction.model.intended_use)}</p>
<figure>
<img alt="The tumour before and after contrast, outlined, with the model's attention in colour" \
src="data:image/png;base64,{picture}">
<figcaption>Green: tumour mask. Colour: attention, relative to its peak. It shows where the model looked, not
why.</figcaption>
</figure>
<div class="columns">
<section><h2>Tumour and attention</h2>
{_table(_measured(prediction.tumour, prediction.attention_summary))}</section>
<section><h2>Clinical values used</h2>
{clinical}
<h2>Image</h2>
{_table(_image(exam))}</section>
</div>
<h2>Model</h2>
{_table(_model(prediction))}
</main>
</body>
</html>
"""


def _result(prediction: Prediction) -> str:
    """The number, what it means, and what it rests on."""
    point, (low, high) = prediction.operating_point, prediction.interval
    relation = "at or above" if prediction.decision == "pCR" else "below"
    rates = ""
    if point.sensitivity is not None and point.specificity is not None:
        rates = (
            f" On the patients that the threshold was fixed on, it recognised {point.sensitivity:.0%} of those with pCR"
            f" (sensitivity) and {point.specificity:.0%} of those without (specificity)."
        )
    return f"""<div class="result">
<div><div class="probability">{prediction.probability:.0%}</div>probability of pathological complete response</div>
<div>{_gauge(prediction)}</div>
</div>
<p class="decision">{"pCR" if prediction.decision == "pCR" else "No pCR"} predicted</p>
<p>The probability is {relation} the threshold of {point.threshold:.0%} of the operating point
&ldquo;{escape(point.name)}&rdquo;.{rates}</p>
<p>The {len(prediction.fold_probabilities)} models of the ensemble range from {low:.0%} to {high:.0%}.
{describe_image_alone(prediction)}</p>"""


def _gauge(prediction: Prediction) -> str:
    """The probability, the range over the ensemble and the threshold on a line from 0 to 100 %."""
    probability, (low, high), point = prediction.probability, prediction.interval, prediction.operating_point

    def x(value: float) -> float:
        return round(20 + 400 * value, 1)

    label = x(min(max(point.threshold, 0.12), 0.88))
    words = (
        f"Probability {probability:.0%}, range of the ensemble {low:.0%} to {high:.0%}, threshold {point.threshold:.0%}"
    )
    return f"""<svg width="440" height="74" viewBox="0 0 440 74" role="img" aria-label="{words}">
<line x1="20" y1="36" x2="420" y2="36" stroke="#d5dae1" stroke-width="6" stroke-linecap="round"/>
<line x1="{x(low)}" y1="36" x2="{x(high)}" y2="36" stroke="#7aa7e0" stroke-width="12" stroke-linecap="round"/>
<line x1="{x(point.threshold)}" y1="18" x2="{x(point.threshold)}" y2="54" stroke="#8a1c1c" stroke-width="2"/>
<circle cx="{x(probability)}" cy="36" r="8" fill="#173f75" stroke="#fff" stroke-width="2"/>
<text x="{label}" y="12" font-size="12" text-anchor="middle" fill="#8a1c1c">threshold {point.threshold:.0%}</text>
<text x="20" y="70" font-size="12" text-anchor="middle" fill="#55606e">0%</text>
<text x="{x((low + high) / 2)}" y="70" font-size="12" text-anchor="middle" fill="#2c5fa3">{low:.0%} to {high:.0%}</text>
<text x="420" y="70" font-size="12" text-anchor="middle" fill="#55606e">100%</text>
</svg>"""


def _warnings(prediction: Prediction) -> str:
    if not prediction.notices:
        return '<p class="small">No warnings.</p>'
    items = "".join(f"<li>{escape(notice.message)}</li>" for notice in prediction.notices)
    return f'<section class="warnings"><h2>Please note</h2><ul>{items}</ul></section>'


def _measured(tumour: TumourSummary, attention: AttentionSummary) -> dict[str, str]:
    where = "inside" if attention.peak_in_tumour else "outside"
    offset = describe_offset(np.subtract(attention.peak, tumour.centre))
    return {
        "Tumour volume": f"{tumour.volume_ml:.1f} ml",
        "Enhancement": f"early {tumour.early_enhancement:+.0%}, late {tumour.late_enhancement:+.0%} of pre-contrast",
        "Tumour centre": describe_position(tumour.centre),
        "Attention in tumour": f"{attention.in_tumour:.0%} of all attention is inside the mask",
        "Highest attention": f"{where} the tumour, {offset + ' of' if offset else 'at'} its centre",
        "Its position": describe_position(attention.peak),
    }


def describe_position(point: tuple[float, float, float]) -> str:
    """An LPS position in mm in words, relative to the scanner's origin."""
    return f"{describe_offset(point) or '0 mm'} in scanner coordinates"


def _image(exam: Exam) -> dict[str, str]:
    rows = {
        "Voxels": " × ".join(str(n) for n in exam.geometry.size),
        "Voxel size": " × ".join(f"{s:.3g}" for s in exam.geometry.spacing) + " mm",
    }
    if exam.provenance.phase_times:
        _, early, late = exam.provenance.phase_times
        rows["Phases"] = f"early {early:.0f} s, late {late:.0f} s after the pre-contrast one"
    return rows


def _model(prediction: Prediction) -> dict[str, str]:
    model = prediction.model
    return {
        "Name and version": f"{model.name} {model.version}",
        "Trained on": model.training_data,
        "Intended use": model.intended_use,
        "Licence": model.licence,
        "Checksum": f"SHA-256 {model.checksum[:16]}",
        "Software": ", ".join(f"{name} {version}" for name, version in prediction.versions.items()),
    }


def _table(rows: Mapping[str, str]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>\n' for name, value in rows.items()
    )
    return f"<table><tbody>\n{cells}</tbody></table>"
