"""Slicer's scene: the only room that imports slicer and vtk."""
