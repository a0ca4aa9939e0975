"""Print what Slicer finds in a scene file, as JSON: `python -m harness.read_scene SCENE.mrb [VIEW PIXELS.npy]`.

With a view's name, such as Red, also saves the pixels that Slicer renders for it.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import slicer
import vtk
from PCRPredictorLib.mrml.scene import headless_scene
from vtk.util.numpy_support import vtk_to_numpy

from harness.views import render_slice


def nodes(scene, class_name):
    return [scene.GetNthNodeByClass(n, class_name) for n in range(scene.GetNumberOfNodesByClass(class_name))]


def describe_volume(node):
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    values = vtk_to_numpy(node.GetImageData().GetPointData().GetScalars())
    return {"sum": float(values.sum(dtype=float)), "ras_of_voxel_3_2_1": matrix.MultiplyPoint((3, 2, 1, 1))[:3]}


def describe_segment(node):
    segment, image = node.GetSegmentation().GetNthSegment(0), slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(node.GetSegmentation().GetNthSegmentID(0), image)
    to_ras = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(to_ras)
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    index = np.argwhere(voxels)[:, ::-1] + image.GetExtent()[::2]
    matrix = np.array([[to_ras.GetElement(row, column) for column in range(4)] for row in range(3)])
    display = node.GetDisplayNode()
    return {
        "name": segment.GetName(),
        "voxels": len(index),
        "positions_sum": (index @ matrix[:, :3].T + matrix[:, 3]).sum(0).tolist(),
        "outline": bool(display.GetVisibility2DOutline()),
        "fill": bool(display.GetVisibility2DFill()),
    }


def describe_attention(node):
    display = node.GetDisplayNode()
    return {
        "colours": display.GetColorNode().GetName(),
        "highest_colour": display.GetColorNode().GetLookupTable().GetTableValue(255)[:3],
        "range": [display.GetWindowLevelMin(), display.GetWindowLevelMax()],
        "threshold": display.GetLowerThreshold() if display.GetApplyThreshold() else None,
    }


def describe_view(scene, node):
    composite = scene.GetSingletonNode(node.GetName(), "vtkMRMLSliceCompositeNode")
    return {
        "background": scene.GetNodeByID(composite.GetBackgroundVolumeID()).GetName(),
        "foreground": scene.GetNodeByID(composite.GetForegroundVolumeID()).GetName(),
        "opacity": composite.GetForegroundOpacity(),
        "centre": [node.GetSliceToRAS().GetElement(row, 3) for row in range(3)],
        "field": node.GetFieldOfView()[0],
    }


def main(path, view=None, pixels=None):
    with tempfile.TemporaryDirectory() as folder, headless_scene(Path(folder)) as scene:
        if not scene.ReadFromMRB(path, True):
            raise SystemExit(f"{path} cannot be read")
        volumes = {node.GetName(): node for node in nodes(scene, "vtkMRMLScalarVolumeNode")}
        found = {
            "volumes": {name: describe_volume(node) for name, node in volumes.items()},
            "segment": describe_segment(nodes(scene, "vtkMRMLSegmentationNode")[0]),
            "attention": describe_attention(volumes["Attention"]),
            "views": {node.GetName(): describe_view(scene, node) for node in nodes(scene, "vtkMRMLSliceNode")},
        }
        if view:
            np.save(pixels, render_slice(scene, view))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
