"""Fuzz one reader in this process, under a memory limit: `python -m tests.intake.fuzz.worker READER FOLDER`.

Atheris changes the seeds, guided by what they reach in our readers. A table and an IntakeError are the only
outcomes; anything else, or an input that takes too long, ends the process and leaves that input in FOLDER.
"""

import argparse
import gzip
import io
import random
import resource
import sys
import zipfile
import zlib
from pathlib import Path

import atheris
import atheris.core_with_libfuzzer  # before memory is limited

with atheris.instrument_imports(include=["leaddone_pipeline.intake.readers"]):
    import leaddone_pipeline.intake.readers.parquet
    import leaddone_pipeline.intake.readers.records
    import leaddone_pipeline.intake.readers.workbook  # noqa: F401 - loaded before memory is limited
    from leaddone_pipeline.intake.readers import expand, limits, open_table

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import damage
from tests.intake.fuzz.seeds import SEEDS

MEMORY = 1 << 30
"""Of the process and, again, of a workbook's own process."""
SLOW_SECONDS = 10
MAX_BYTES = 20_000


def judge(data, path):
    """Read an input as a file; raise whatever is neither a table nor an IntakeError."""
    path.write_bytes(data)
    for place in expand([path]):
        for fits in (None, lambda header: "id" in header):
            try:
                check(open_table(place, fits=fits), 1 + len(data) % 7)
            except IntakeError as error:
                refused = str(error)
                if str(path.parent) in refused:
                    raise AssertionError(refused) from None


def check(table, rows):
    number = 0
    for part in table.slices(rows):
        part.validate(full=True)
        assert 0 < part.num_rows <= rows
        assert part.num_columns == len(table.header) + len(damage.BESIDE)
        numbers = part[damage.ROW].to_pylist()
        assert number <= numbers[0]
        assert numbers == sorted(numbers)
        number = numbers[-1]


def repacked(data, size, seed):
    """Change what is packed and pack it again, half of the time: few changed archives can be opened at all."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        return atheris.Mutate(data, size)
    try:
        if data[:2] == b"\x1f\x8b":
            return gzip.compress(atheris.Mutate(gzip.decompress(data), MAX_BYTES))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
        changed = chance.randrange(len(members))
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for at, (name, content) in enumerate(members):
                archive.writestr(name, atheris.Mutate(content, MAX_BYTES) if at == changed else content)
        return out.getvalue()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error):
        return atheris.Mutate(data, size)


def limit_memory():
    """Let no allocation take this process beyond the limit.

    Address space that is mapped and not used (atheris maps some hundred MB of it) is not counted, therefore
    the limit is on what is mapped now and so much more as is wanting to the limit.
    """
    pages = [
        int(number) * resource.getpagesize() for number in Path("/proc/self/statm").read_text().split()[:2]
    ]
    most = pages[0] + MEMORY - pages[1]
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("reader", choices=sorted(SEEDS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    corpus = asked.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for at, seed in enumerate(SEEDS[asked.reader]()):
        (corpus / f"seed-{at}").write_bytes(seed)
    path = asked.folder / "input"
    limits.CHILD_BYTES = MEMORY
    options = [
        f"-max_total_time={asked.seconds}",
        f"-seed={asked.seed}",
        f"-timeout={SLOW_SECONDS}",
        f"-max_len={MAX_BYTES}",
        f"-rss_limit_mb={MEMORY >> 20}",
        "-print_final_stats=1",
        f"-artifact_prefix={asked.folder}/",
    ]
    packed = {"custom_mutator": repacked} if asked.reader in {"archives", "workbooks"} else {}
    limit_memory()
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: judge(data, path), **packed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
