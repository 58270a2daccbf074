"""`python -m leaddone_pipeline.cli`: the same as `leaddone`."""

from leaddone_pipeline.cli.app import main

main()
