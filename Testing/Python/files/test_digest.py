"""The hash of arrays and values, which results in scenes are compared by."""

import numpy as np
from PCRPredictorLib.files.digest import digest


def test_digest_differs_with_a_voxel_a_type_and_a_shape():
    values = np.zeros((2, 3), np.int16)
    other = values.copy()
    other[0, 0] = 1
    found = {digest([x]) for x in (values, other, values.astype(np.int32), values.T, "text")}
    assert len(found) == 5


def test_it_is_that_of_the_versions_that_saved_results_before():
    known = digest([np.arange(6, dtype=np.int16).reshape(2, 3), "text", None])
    assert known == "ca0f9bee8b49465005061fed8a9bb277b6bdf2577fbc2dd4c23bd48fa2215f1d"
