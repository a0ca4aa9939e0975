"""The open exam: all that panel and page do with it, without Qt, trame, slicer or vtk."""
