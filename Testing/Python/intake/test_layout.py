import pytest
from PCRTrainingLib.intake.images import list_contents
from PCRTrainingLib.intake.layout import PLACE_OF_MASKS, find_layout, with_visits
from support.own_cohort import NUMBERS, write_tree

POST = ["pre", *(f"post{k}" for k in range(1, 6))]
LAYOUTS = {  # files of each patient, first phase, last phase, mask
    "folders": (
        [*(f"Bilder/Pat #/T1_{name}.nii.gz" for name in POST), "Bilder/Pat #/Tumormaske.nii.gz"],
        ("Bilder/{patient_id}/T1_pre.nii.gz", "Bilder/{patient_id}/T1_post5.nii.gz"),
        "Bilder/{patient_id}/Tumormaske.nii.gz",
    ),
    "flat": (
        ["#_pre.nii", "#_early.nii", "#_late.nii", "#_mask.nii"],
        ("{patient_id}_pre.nii", "{patient_id}_late.nii"),
        "{patient_id}_mask.nii",
    ),
    "prefix and suffix": (
        ["BR#_T1_pre_reg.nii", "BR#_T1_früh_reg.nii", "BR#_T1_spät_reg.nii", "BR#_T1_roi_reg.nii"],
        ("BR{patient_id}_T1_pre_reg.nii", "BR{patient_id}_T1_spät_reg.nii"),
        "BR{patient_id}_T1_roi_reg.nii",
    ),
    "nnU-Net": (
        [*(f"imagesTr/BREAST_#_{k:04d}.nii.gz" for k in range(4)), "labelsTr/BREAST_#.nii.gz"],
        ("imagesTr/BREAST_{patient_id}_0000.nii.gz", "imagesTr/BREAST_{patient_id}_0003.nii.gz"),
        "labelsTr/BREAST_{patient_id}.nii.gz",
    ),
    "a folder per phase": (
        ["vor/#.nrrd", "nach1/#.nrrd", "nach2/#.nrrd", "maske/#.nrrd"],
        ("vor/{patient_id}.nrrd", "nach2/{patient_id}.nrrd"),
        "maske/{patient_id}.nrrd",
    ),
    "dates": (
        [*(f"Pat#/202#01/ph{k}.nii.gz" for k in range(5)), "Pat#/202#01/seg.nii.gz"],
        ("{patient_id}/*/ph0.nii.gz", "{patient_id}/*/ph4.nii.gz"),
        "{patient_id}/*/seg.nii.gz",
    ),
    "BIDS": (
        [
            *(f"sub-#/anat/sub-#_acq-{name}_T1w.nii.gz" for name in POST),
            "derivatives/sub-#/sub-#_mask.nii.gz",
        ],
        ("{patient_id}/anat/{patient_id}_acq-pre_T1w.nii.gz", "{patient_id}/anat/{patient_id}_acq-post5_T1w.nii.gz"),
        "derivatives/{patient_id}/{patient_id}_mask.nii.gz",
    ),
    "phase before the patient": (
        ["pre_#.mha", "post1_#.mha", "post2_#.mha", "mask_#.mha"],
        ("pre_{patient_id}.mha", "post2_{patient_id}.mha"),
        "mask_{patient_id}.mha",
    ),
    "numbers alone": (
        [*(f"Pat #/{k}.nii.gz" for k in range(6)), "Pat #/label.nii.gz"],
        ("{patient_id}/0.nii.gz", "{patient_id}/5.nii.gz"),
        "{patient_id}/label.nii.gz",
    ),
    "French": (
        ["#/T1 avant.nii", "#/T1 précoce.nii", "#/T1 tardif.nii", "#/masque.nii"],
        ("{patient_id}/T1 avant.nii", "{patient_id}/T1 tardif.nii"),
        "{patient_id}/masque.nii",
    ),
}


def layout_of(folder, patterns, numbers=NUMBERS, **options):
    write_tree(folder, *(pattern.replace("#", number) for pattern in patterns for number in numbers))
    return find_layout(list_contents(folder), **options)


@pytest.mark.parametrize("name", LAYOUTS)
def test_patterns_of_a_layout(tmp_path, name):
    files, (first, last), mask = LAYOUTS[name]
    found = layout_of(tmp_path, files)
    assert (found.phases[0], found.phases[-1], found.masks) == (first, last, (mask,))
    assert found.doubts == ()


def test_copy_of_mama_mia_needs_no_patterns(tmp_path):
    files = [*(f"images/p#/p#_{k:04d}.nii.gz" for k in range(4)), "segmentations/expert/p#.nii.gz"]
    assert layout_of(tmp_path, files).is_mama_mia


def test_mixed_endings_become_a_star(tmp_path):
    write_tree(tmp_path, *(f"900/{name}.mha" for name in ("pre", "post1", "post2", "mask")))
    found = layout_of(tmp_path, ["#/pre.nii", "#/post1.nii", "#/post2.nii", "#/mask.nii"])
    assert found.phases == ("{patient_id}/pre.*", "{patient_id}/post1.*", "{patient_id}/post2.*")
    assert found.masks == ("{patient_id}/mask.*",)


def test_identifiers_of_the_table_decide_which_part_of_a_name_is_the_patient(tmp_path):
    files = [f"Pat #_{k:04d}.nii.gz" for k in range(3)]
    found = layout_of(tmp_path, files, known=frozenset(str(int(number)) for number in NUMBERS))
    assert found.phases[0] == "Pat {patient_id}_0000.nii.gz"


def test_initials_beside_the_number_become_a_star(tmp_path):
    write_tree(tmp_path, *(f"{n}_{chr(64 + int(n))}/dyn{k}.nii" for n in NUMBERS for k in range(4)))
    found = find_layout(list_contents(tmp_path), frozenset(str(int(number)) for number in NUMBERS))
    assert found.phases[0] == "{patient_id}_*/dyn0.nii"


def test_visits_are_told_apart_by_their_folders(tmp_path):
    names = ("pre", "post1", "post2", "tumour")
    found = layout_of(tmp_path, [f"#/{visit}/{name}.nii" for visit in ("T0", "T1") for name in names])
    assert (found.phases[0], found.doubts) == ("{patient_id}/T0/pre.nii", ())
    each = with_visits(found, {"T0": "T0", "T1": "T1"})
    assert each.phases[0] == "{patient_id}/{visit}/pre.nii"
    assert each.masks == ("{patient_id}/{visit}/tumour.nii",)


def test_a_second_series_and_its_mask_are_reported(tmp_path):
    names = ("pre", "post1", "post2", "tumour")
    found = layout_of(tmp_path, [f"#/{series}/{name}.nii" for series in ("a", "b") for name in names])
    assert found.phases[0] == "{patient_id}/a/pre.nii"
    assert found.masks == ("{patient_id}/a/tumour.nii",)
    assert "a different series or visit (36 files of 12 patients)" in found.doubts[0]
    assert "there are 2 masks" in found.doubts[1]


def test_the_visit_that_has_masks_is_taken(tmp_path):
    files = [f"#/{visit}/{name}.nii" for visit in ("T0", "T1") for name in ("pre", "post1", "post2")]
    assert layout_of(tmp_path, [*files, "#/T1/mask.nii"]).phases[0] == "{patient_id}/T1/pre.nii"


def test_masks_by_hand_go_before_others_and_both_are_named(tmp_path):
    files = ["#/pre.nii", "#/post1.nii", "#/post2.nii", "masks/auto/#.nii", "masks/expert/#.nii"]
    found = layout_of(tmp_path, files)
    assert found.masks == ("masks/expert/{patient_id}.nii",)
    assert "masks/auto/{patient_id}.nii; only the first is used" in found.doubts[0]


def test_images_that_are_no_phases_and_a_cohort_without_masks_are_reported(tmp_path):
    found = layout_of(tmp_path, ["#/pre.nii", "#/post1.nii", "#/post2.nii", "#/T2.nii", "#/notes.nii"])
    assert found.masks == (PLACE_OF_MASKS,)
    assert [text.split(":")[0] for text in found.doubts] == [
        f"no masks were found; save the mask of each patient as {PLACE_OF_MASKS}",
        "001/T2.nii and 11 more",
        "001/notes.nii and 11 more",
    ]


def test_names_that_follow_no_pattern_are_reported(tmp_path):
    files = [f"{a}{n}{b}/{x}.nii" for n, a, b in (("1", "Q", "Z"), ("2", "R", "Y")) for x in ("pre", "post1", "post2")]
    write_tree(tmp_path, *files)
    found = find_layout(list_contents(tmp_path), frozenset(("1", "2")))
    assert found.phases == ()
    assert "follow no pattern (Q1Z/post1.nii" in found.doubts[0]


@pytest.mark.parametrize(
    ("files", "first"),
    [
        (["Pat (#)/pre.nii", "Pat (#)/post1.nii", "Pat (#)/post2.nii"], "Pat ({patient_id})/pre.nii"),
        (["#_T1_pre.nii", "#_T1_post1.nii", "#_T1_post2.nii"], "{patient_id}_T1_pre.nii"),
        (["#/1_pre.nii", "#/1_post1.nii", "#/1_post2.nii"], "{patient_id}/1_pre.nii"),
    ],
)
def test_short_identifiers_are_not_mistaken_for_other_numbers(tmp_path, files, first):
    numbers = [str(k) for k in range(1, 7)]
    found = layout_of(tmp_path, files, numbers, known=frozenset(numbers))
    assert found.phases[0] == first
    assert len(set(found.phases)) == 3


def test_folders_of_sites_become_a_star(tmp_path):
    write_tree(tmp_path, *(f"{'NS'[k % 2]}/Pat{k}/{x}.nii" for k in range(1, 7) for x in ("pre", "post1", "post2")))
    assert find_layout(list_contents(tmp_path)).phases[1] == "*/{patient_id}/post1.nii"


@pytest.mark.parametrize("sign", ["{#}", "*#"])
def test_names_with_signs_of_patterns_are_refused(tmp_path, sign):
    found = layout_of(tmp_path, [f"Pat {sign}/{name}.nii" for name in ("pre", "post1", "post2")])
    assert found.phases == ()
    assert "names with {, } or * cannot be described" in found.doubts[0]


def test_phases_whose_names_differ_between_patients_are_not_merged(tmp_path):
    for number, names in (("001", POST[:3]), ("002", ["Pre", "Post_1", "Post_2"]), ("003", POST[:3])):
        write_tree(tmp_path, *(f"{number}/{name}.nii" for name in (*names, "mask")))
    layout = find_layout(list_contents(tmp_path))
    assert layout.phases == ()
    assert "follow no pattern" in layout.doubts[0]
