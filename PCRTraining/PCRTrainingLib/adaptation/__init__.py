"""Make a model fit a hospital: new calibration and operating points, or networks that are trained further."""
