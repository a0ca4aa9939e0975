"""The phantom: exams that look and measure like exams, and cohorts whose probabilities are known."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.phantom.cohort import write_cohort
from PCRPredictorLib.phantom.frame import Frame
from PCRPredictorLib.phantom.kinetics import (
    BLOOD,
    FIBROGLANDULAR,
    Sequence,
    interstitial_concentration,
    plasma_concentration,
    relative_signal,
    tumour_tissue,
)
from PCRPredictorLib.phantom.patient import make_patient, patient_traits
from PCRPredictorLib.phantom.site import SITES, find_site
from PCRPredictorLib.phantom.tubes import Tube, draw_tubes
from PCRPredictorLib.reading.images import read_exam
from PCRPredictorLib.writing import write_nifti
from sklearn.metrics import roc_auc_score


@pytest.fixture(scope="module")
def patients():
    return {name: make_patient(site, index=2) for name, site in SITES.items()}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    out = tmp_path_factory.mktemp("phantom") / "cohort"
    write_cohort(out, 3, SITES["A"])
    return out


@pytest.fixture(scope="module")
def table(cohort):
    with (cohort / "clinical_and_imaging_info.csv").open() as file:
        return list(csv.DictReader(file))


def test_identifiers_depend_on_the_seed():
    names = {str(make_patient(SITES["A"], 1, seed).exam.provenance.patient_id) for seed in (0, 2)}
    assert names == {"PHANTOM_A_0001", "PHANTOM_A2_0001"}


def test_same_seed_site_and_index_give_the_same_patient(patients):
    again = make_patient(SITES["B"], index=2)
    assert all(np.array_equal(a, b) for a, b in zip(patients["B"].exam.phases, again.exam.phases, strict=True))
    assert np.array_equal(patients["B"].exam.mask, again.exam.mask)
    assert patients["B"].traits == again.traits


@pytest.mark.parametrize("change", [{"index": 3}, {"seed": 1}])
def test_patients_depend_on_index_and_seed(change):
    assert patient_traits(SITES["A"], **{"index": 2, **change}) != patient_traits(SITES["A"], index=2)


def test_image_types_are_those_of_an_exam(patients):
    exam = patients["A"].exam
    assert {phase.dtype for phase in exam.phases} == {np.dtype(np.int16)}
    assert exam.mask.dtype == np.uint8
    assert exam.provenance.source == "phantom"
    assert exam.provenance.phase_times == SITES["A"].phase_times


def test_files_say_that_they_are_a_phantom_without_a_table_or_a_name(cohort, tmp_path):
    files = sorted((cohort / "images" / "PHANTOM_A_0001").iterdir())
    copies = [Path(shutil.copy(file, tmp_path / f"{n}.nii.gz")) for n, file in enumerate(files)]
    assert read_exam(copies).provenance.is_phantom
    write_nifti(read_exam(copies).early, read_exam(copies).geometry, copies[1])
    assert not read_exam(copies).provenance.is_phantom


@pytest.mark.parametrize("name", SITES)
def test_directions_are_orthonormal_and_right_handed(patients, name):
    direction = patients[name].exam.geometry.direction
    assert np.allclose(direction.T @ direction, np.eye(3))
    assert np.linalg.det(direction) == pytest.approx(1)


def test_sagittal_rows_run_to_posterior_and_columns_to_inferior(patients):
    i, j, _ = patients["C"].exam.geometry.direction.T
    assert i.tolist() == [0, 1, 0]
    assert j.tolist() == [0, 0, -1]


@pytest.mark.parametrize("name", SITES)
def test_tumour_lies_in_the_body_and_takes_up_contrast(patients, name):
    exam = patients[name].exam
    inside = exam.mask > 0
    assert inside.any()
    assert (exam.early[inside] > 0).all()
    assert exam.early[inside].mean() > 1.4 * exam.pre[inside].mean()


@pytest.mark.parametrize("index", range(1, 5))
def test_tumour_lies_on_the_side_that_was_drawn(index):
    patient = make_patient(SITES["C"], index)
    centre = np.argwhere(patient.exam.mask)[:, ::-1].mean(0)
    assert np.sign(patient.exam.geometry.to_physical(centre)[0]) == patient.traits.side


def test_smallest_tumour_still_has_a_mask(monkeypatch):
    traits = replace(patient_traits(SITES["A"], 1), diameter=8.0)
    monkeypatch.setattr("PCRPredictorLib.phantom.patient.draw_traits", lambda *_: traits)
    for index in range(4):
        assert make_patient(SITES["A"], index).exam.mask.any()


def test_air_is_zero_and_noise_is_not(patients):
    exam = patients["A"].exam
    assert (exam.pre[:, 0] == 0).mean() > 0.9
    assert 0.3 < (exam.pre > 0).mean() < 0.8


@pytest.mark.parametrize("name", SITES)
def test_latent_washout_shows_between_early_and_late(name):
    site, sequence = SITES[name], SITES[name].sequence
    _, early, late = (t / 60 for t in site.phase_times)
    ratios = []
    for kep in (0.4, 0.7, 1.2):
        mass = tumour_tissue(kep, 0.33)
        ratios.append(relative_signal(mass, late, sequence) / relative_signal(mass, early, sequence))
    assert ratios[0] > ratios[1] + site.noise
    assert ratios[1] > ratios[2] + site.noise / 2


def test_uptake_solves_the_tofts_convolution():
    times = np.linspace(0, 5, 20001)
    plasma = np.array([plasma_concentration(t) for t in times[1:]])
    kernel = np.exp(-0.6 * (5 - times[1:]))
    assert interstitial_concentration(5.0, 0.6) == pytest.approx((plasma * kernel).sum() * times[1], rel=1e-3)


def test_unenhanced_gland_has_unit_signal_and_blood_enhances_most():
    sequence = Sequence()
    assert relative_signal(FIBROGLANDULAR, 0.0, sequence) == pytest.approx(1)
    assert relative_signal(BLOOD, 1.0, sequence) > 2 * relative_signal(BLOOD, 0.0, sequence)


def test_random_field_is_standardised(patients):
    field = Frame(patients["A"].exam.geometry).field(np.random.default_rng(0), 5.0)
    assert field.shape == patients["A"].exam.geometry.shape
    assert abs(field.mean()) < 0.05
    assert field.std() == pytest.approx(1, abs=0.05)


def test_tube_fills_about_its_own_volume():
    frame = Frame(Geometry((40, 40, 40), (1.0, 1.0, 1.0)))
    tube = Tube(np.array([[5.0, 20.0, 20.0], [35.0, 20.0, 20.0]]), np.array([3.0, 3.0]))
    assert draw_tubes(frame, [tube]).sum() == pytest.approx(np.pi * 9 * 30 + 4 / 3 * np.pi * 27, rel=0.1)


def test_prevalence_and_best_possible_auc_are_as_stated():
    traits = [patient_traits(SITES["A"], index) for index in range(4000)]
    labels = [t.pcr for t in traits]
    assert 0.29 < np.mean(labels) < 0.36
    assert 0.78 < roc_auc_score(labels, [t.probability for t in traits]) < 0.84


@pytest.mark.parametrize(("shortcut", "sign"), [(0.6, 1), (0.0, 0), (-0.6, -1)])
def test_shortcut_ties_background_to_the_label(shortcut, sign):
    site = replace(SITES["A"], shortcut=shortcut)
    traits = [patient_traits(site, index) for index in range(2000)]
    auc = roc_auc_score([t.pcr for t in traits], [t.background for t in traits])
    assert np.sign(round(auc - 0.5, 1)) == sign


def test_rate_of_responders_is_as_asked_and_the_patients_stay():
    usual = [patient_traits(SITES["A"], index) for index in range(2000)]
    for rate in (0.5, 0.07):
        traits = [patient_traits(find_site("A", pcr_rate=rate), index) for index in range(2000)]
        assert np.mean([t.pcr for t in traits]) == pytest.approx(rate, abs=0.03)
        assert np.mean([t.probability for t in traits]) == pytest.approx(rate, abs=0.015)
        assert [t.washout for t in traits] == [t.washout for t in usual]


def test_background_shows_in_the_image(monkeypatch):
    means = []
    for background in (0.01, 0.08):
        traits = replace(patient_traits(SITES["A"], 1), background=background)
        monkeypatch.setattr("PCRPredictorLib.phantom.patient.draw_traits", lambda *_, t=traits: t)
        exam = make_patient(SITES["A"], 1).exam
        gland = (exam.mask == 0) & (exam.pre > 25)
        means.append((exam.early[gland].astype(float) / exam.pre[gland]).mean())
    assert means[1] > means[0] + 0.2


def test_cohort_has_the_mama_mia_layout(cohort):
    for phase in range(3):
        assert (cohort / f"images/PHANTOM_A_0001/phantom_a_0001_{phase:04d}.nii.gz").is_file()
    assert (cohort / "segmentations/expert/phantom_a_0001.nii.gz").is_file()
    assert len(list((cohort / "images").iterdir())) == 3


def test_table_holds_probability_label_and_codings(table):
    traits = patient_traits(SITES["A"], 1)
    row = table[0]
    assert row["patient_id"] == "PHANTOM_A_0001"
    assert float(row["true_probability"]) == pytest.approx(traits.probability, abs=1e-6)
    assert int(row["pcr"]) == traits.pcr
    assert row["tumor_subtype"] in {"luminal_a", "luminal_b", "her2_enriched", "triple_negative"}
    assert row["acquisition_times"] == "[0, 120, 400]"
    assert row["pixel_spacing"] == "[1.4, 1.4]"


def test_files_read_back_as_the_exam_in_memory(cohort):
    exam = make_patient(SITES["A"], index=3).exam
    image = sitk.ReadImage(str(cohort / "images/PHANTOM_A_0003/phantom_a_0003_0001.nii.gz"))
    assert np.array_equal(sitk.GetArrayFromImage(image), exam.early)
    assert np.allclose(image.GetOrigin(), exam.geometry.origin, atol=1e-3)
    assert np.allclose(image.GetDirection(), exam.geometry.direction.ravel())


def test_small_patient_takes_less_than_a_megabyte(cohort):
    for folder in (cohort / "images").iterdir():
        mask = cohort / "segmentations/expert" / f"{folder.name.lower()}.nii.gz"
        assert sum(file.stat().st_size for file in folder.iterdir()) + mask.stat().st_size < 1e6


def test_folder_in_use_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("keep")
    with pytest.raises(DataError, match="choose a new folder"):
        write_cohort(tmp_path, 1, SITES["A"])
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_empty_cohort_is_refused(tmp_path):
    with pytest.raises(DataError, match="got 0"):
        write_cohort(tmp_path / "cohort", 0, SITES["A"])


def test_interrupted_cohort_leaves_nothing_behind(tmp_path, monkeypatch):
    def stop(_patient, *_others):
        raise KeyboardInterrupt

    monkeypatch.setattr("PCRPredictorLib.phantom.cohort.table_row", stop)
    with pytest.raises(KeyboardInterrupt):
        write_cohort(tmp_path / "cohort", 2, SITES["A"])
    assert list(tmp_path.iterdir()) == []


def test_importing_the_phantom_leaves_torch_alone():
    code = "import sys, PCRPredictorLib.phantom.cohort; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_site_is_refused():
    with pytest.raises(DataError, match="one of A, B, C"):
        find_site("Z")


def test_shortcut_beyond_a_correlation_is_refused():
    with pytest.raises(DataError, match="between -1 and 1"):
        find_site("A", shortcut=1.5)


def test_impossible_rate_of_responders_is_refused():
    with pytest.raises(DataError, match=r"above 0 and below 1, got 1\.0; give a share"):
        find_site("A", pcr_rate=1.0)


def test_full_size_exam_is_bilateral():
    size, spacing = SITES["A"].lattice(full=True)
    assert size == (448, 448, 120)
    assert size[0] * spacing[0] > 300
