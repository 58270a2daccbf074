"""A code location built only from the public names of `leaddone_pipeline`."""
