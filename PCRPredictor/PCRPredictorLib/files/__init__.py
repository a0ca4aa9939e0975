"""What lies on disk: names of files, raw headers of NIfTI, NRRD and MetaImage, and their voxels, within bounds."""
