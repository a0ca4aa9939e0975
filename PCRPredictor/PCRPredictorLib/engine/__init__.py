"""Run tasks on this machine or on a Dask cluster: the one place that knows about processes and several machines."""
