"""A package, since httpbin brings a `tests` of its own, which would otherwise be imported in place of this folder."""
