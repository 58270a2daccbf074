"""Peak memory of validating a large CSV with its quarantine written: `python benchmarks/intake_memory.py --mb 1000`.

A quarter of the orders have several lines, 2 % of the rows are bad. The file is made in a temporary folder and
validated by a process of its own, whose peak is what the system says of it (ru_maxrss).
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

HEADER = (
    "Name,Financial Status,Fulfillment Status,Currency,Subtotal,Total,Discount Amount,Lineitem quantity,"
    "Lineitem name,Lineitem price,Billing Name,Shipping Name,Shipping Street,Shipping City,Shipping Phone,"
    "Cancelled at,Payment Method,Outstanding Balance,Lineitem discount,Phone\n"
)
BAD = ("6.12E+08", "061234567", "O612345678", "", "0612345678 / 0712345678")
SEVERAL_LINES = 0.25
BAD_ROWS = 0.02
LIMIT_MB = 500
_BYTES_A_MB = 1_000_000


def lines(seed: int) -> Iterator[str]:
    """Rows without end, of invented orders."""
    chance = random.Random(seed)
    number = 1000
    while True:
        number += 1
        further = chance.choice((1, 1, 2, 3)) if chance.random() < SEVERAL_LINES else 0
        total = 100 + 50 * further
        bad = chance.random() < BAD_ROWS
        phone = chance.choice(BAD) if bad else f"06{chance.randrange(10**8):08}"
        yield (
            f'#{number},pending,unfulfilled,MAD,{total}.00,{total}.00,0.00,1,"Tapis berbère {number % 97}, rouge",'
            f"100.00,Client {number},Client {number},{number % 500} rue des Orangers,Fès,{phone},,"
            f"Cash on Delivery (COD),{total}.00,0.00,\n"
        )
        for _ in range(further):
            yield f"#{number},,,,,,,1,Coussin {number % 13},50.00,,,,,,,,,0.00,\n"


def make(path: Path, megabytes: int) -> None:
    """Write a file of about this size."""
    left = megabytes * _BYTES_A_MB
    with path.open("w", encoding="utf-8") as out:
        out.write(HEADER)
        for line in lines(7):
            out.write(line)
            left -= len(line)
            if left <= 0:
                return


def validate(path: Path, quarantine: Path) -> int:
    """Read the file as `leaddone send` does, without sending."""
    from leaddone_pipeline.cli.quarantine_files import QuarantineFiles  # noqa: PLC0415 - in the process that is measured
    from leaddone_pipeline.intake import RowCounts, read_orders  # noqa: PLC0415 - as above

    began = time.monotonic()
    rows = RowCounts()
    with closing(QuarantineFiles(quarantine)) as refused:
        for part in read_orders([path]):
            if part.broken is not None:
                raise part.broken
            refused.add(part.refused)
            rows += part.rows
    elapsed = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _BYTES_A_MB
    size, written = path.stat().st_size / _BYTES_A_MB, quarantine.stat().st_size / _BYTES_A_MB
    print(f"{size:,.0f} MB, {rows}")
    print(f"{rows.read / elapsed:,.0f} rows/s in {elapsed:.1f} s, quarantine of {written:.1f} MB")
    print(f"peak {peak:,.0f} MB of {LIMIT_MB} MB")
    return int(peak >= LIMIT_MB)


def main() -> int:
    """Make the file, and validate it in another process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=1000)
    parser.add_argument("--validate", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.validate:
        return validate(*asked.validate)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "orders_export_1.csv")
        make(path, asked.mb)
        command = [sys.executable, __file__, "--validate", str(path), str(Path(folder, "refused.csv"))]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - this very script


if __name__ == "__main__":
    sys.exit(main())
