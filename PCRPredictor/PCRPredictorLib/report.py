"""The report: one HTML file that a radiologist reads and prints; it refers to nothing outside itself."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape

from .exam import Exam
from .prediction import RESEARCH_USE_ONLY, Prediction

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0; } h2 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
.use { color: #8a1c1c; margin: .2rem 0 1.4rem; }
.result { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; align-items: center; }
.probability { font-size: 3.2rem; font-weight: 700; line-height: 1; }
.warnings { background: #fff7e0; border-left: 4px solid #c98a00; padding: .6rem 1rem; margin: 1.2rem 0; }
.warnings ul { margin: .2rem 0; padding-left: 1.2rem; }
img { width: 100%; border-radius: 4px; } figure { margin: 1.4rem 0; } figcaption { color: #55606e; font-size: .9rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 500; color: #55606e; padding: .2rem 1rem .2rem 0; width: 15rem;
  vertical-align: top; }
td { padding: .2rem 0; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; } figure, table, .warnings { break-inside: avoid; } }
@page { size: A4; margin: 15mm; }
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
        patient = f"<p>Patient {escape(exam.provenance.patient_id or 'without an identifier')}</p>"
    picture = base64.b64encode(overlay_png).decode("ascii")
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>pCR prediction</title><style>{_STYLE}</style></head>
<body>
<h1>Pathological complete response to neoadjuvant therapy, predicted from breast DCE-MRI</h1>
<p class="use">{escape(RESEARCH_USE_ONLY)}<br>
Model {escape(prediction.model.name)}, trained on {escape(prediction.model.training_data)}
Intended use: {escape(prediction.model.intended_use)}</p>
{patient}
{_result(prediction)}
{_warnings(prediction)}
<figure><img alt="Tumour in each phase, and attention over it" src="data:image/png;base64,{picture}">
<figcaption>Green: tumour mask. Colour: attention, what the model's later layers were let see, relative to its peak.
It shows where the model looked, not why.</figcaption></figure>
<h2>Clinical variables used</h2>
{_table(prediction.clinical) if prediction.clinical else "<p>None: this model reads the image alone.</p>"}
<h2>Measured</h2>
{_table(_measured(prediction))}
<h2>Model</h2>
{_table(_model(prediction))}
</body>
</html>
"""


def describe_position(point: tuple[float, float, float]) -> str:
    """An LPS position in mm in words, such as "L 12, A 30, S 5 mm" (scanner coordinates, as Slicer shows them)."""
    letters = (("L", "R"), ("P", "A"), ("S", "I"))
    return ", ".join(f"{pair[x < 0]} {abs(x):.0f}" for pair, x in zip(letters, point, strict=True)) + " mm"


def _result(prediction: Prediction) -> str:
    point = prediction.operating_point
    low, high = prediction.interval
    word = "at or above" if prediction.decision == "pCR" else "below"
    rates = ""
    if point.sensitivity is not None and point.specificity is not None:
        rates = f" There, sensitivity was {point.sensitivity:.0%} and specificity {point.specificity:.0%} in training."
    return f"""<div class="result">
<div><div class="probability">{prediction.probability:.0%}</div>probability of pCR</div>
<div>{_bar(prediction)}</div>
</div>
<p><b>{prediction.decision}</b>: {word} the threshold of {point.threshold:.0%} of the operating point
&ldquo;{escape(point.name)}&rdquo;.{rates}</p>
<p>The {len(prediction.fold_probabilities)} models of the ensemble range from {low:.0%} to {high:.0%}.
From the image alone, with every clinical variable unknown, the probability is {prediction.image_probability:.0%}.
{prediction.attention_summary.in_tumour:.0%} of the attention is inside the tumour.</p>"""


def _bar(prediction: Prediction) -> str:
    """The probability, the range over the folds and the threshold on a line from 0 to 100 %."""

    def x(value: float) -> float:
        return round(10 + 400 * value, 1)

    low, high = prediction.interval
    threshold = prediction.operating_point.threshold
    return f"""<svg width="420" height="62" role="img" aria-label="probability, range of the folds and threshold">
<line x1="10" y1="30" x2="410" y2="30" stroke="#c3cad4" stroke-width="6" stroke-linecap="round"/>
<line x1="{x(low)}" y1="30" x2="{x(high)}" y2="30" stroke="#7aa7e0" stroke-width="10" stroke-linecap="round"/>
<circle cx="{x(prediction.probability)}" cy="30" r="8" fill="#1c4f91"/>
<line x1="{x(threshold)}" y1="14" x2="{x(threshold)}" y2="46" stroke="#8a1c1c" stroke-width="2"/>
<text x="{x(threshold)}" y="10" font-size="11" text-anchor="middle" fill="#8a1c1c">threshold</text>
<text x="10" y="60" font-size="11" fill="#55606e">0 %</text>
<text x="410" y="60" font-size="11" text-anchor="end" fill="#55606e">100 %</text>
</svg>"""


def _warnings(prediction: Prediction) -> str:
    if not prediction.notices:
        return ""
    items = "".join(f"<li>{escape(notice.message)}</li>" for notice in prediction.notices)
    return f'<div class="warnings"><b>Please note</b><ul>{items}</ul></div>'


def _measured(prediction: Prediction) -> dict[str, str]:
    tumour, attention = prediction.tumour, prediction.attention_summary
    return {
        "Tumour volume": f"{tumour.volume_ml:.1f} ml",
        "Tumour centre": describe_position(tumour.centre),
        "Enhancement in the tumour": f"early {tumour.early_enhancement:+.0%}, late {tumour.late_enhancement:+.0%}",
        "Attention inside the tumour": f"{attention.in_tumour:.0%}",
        "Highest attention": f"{describe_position(attention.peak)}, "
        f"{'inside' if attention.peak_in_tumour else 'outside'} the tumour",
    }


def _model(prediction: Prediction) -> dict[str, str]:
    model = prediction.model
    return {
        "Name": f"{model.name} {model.version}",
        "Trained on": model.training_data,
        "Intended use": model.intended_use,
        "Licence": model.licence,
        "Checksum": model.checksum[:16],
        "Software": ", ".join(f"{name} {version}" for name, version in prediction.versions.items()),
    }


def _table(rows: Mapping[str, str]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items())
    return f"<table>{cells}</table>"
