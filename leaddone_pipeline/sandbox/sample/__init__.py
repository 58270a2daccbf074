"""Exports and courier files of two invented shops: `python -m leaddone_pipeline.sandbox.sample FOLDER`."""

from leaddone_pipeline.sandbox.sample.shops import DAYS, SHOPS, START, SampleShop, write_sample

__all__ = ["DAYS", "SHOPS", "START", "SampleShop", "write_sample"]
