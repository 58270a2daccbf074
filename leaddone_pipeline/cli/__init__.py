"""`leaddone`, the command line: what a shell asks for -> calls of the layers below -> words and exit codes."""

from leaddone_pipeline.cli.app import main

__all__ = ["main"]
