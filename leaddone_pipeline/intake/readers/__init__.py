"""Files of any format -> tables of text in slices, every row with the number that a spreadsheet would show.

Every cell is text; nothing guesses that a phone is a number. What a file is, its content says, never its name.
A row that is damaged in itself (too many or too few cells, a quote never closed, a NUL byte, a cell too long)
stays in its place and is marked, so that what stands around it can be judged rightly. A file that is no table
at all raises.

What each format gives:

- Delimited text: the cells as they stand. Rows above the header, a row of units below it, blank rows, and
  at the end a total and the notes under it are no rows; `TableFile.notes` names the rows of that total.
- Workbooks: what a person reads, without float noise: `12`, not `12.0`; dates as ISO text; `#N/A` as text;
  hidden rows too. Of a merged cell only the first has the text.
- JSON and JSON lines: a record's nested objects are columns with dotted names (`billing.first_name`). Its item
  list, `line_items` or `variants`, makes the rows: one row an item (one where there is none), with the item's
  fields as `line_items.name` and so on; **the record's own fields stand on every one of its rows**, and ROW is
  the record's ordinal in the file from 1, **equal on all of its rows**. Other lists: of plain values, joined
  by `, `; of objects, their JSON text. Numbers keep their text exactly; null and `[]` are empty. The records
  are a bare list, the list at `data` or `orders` of an object, the object itself, or one a line.
- Parquet: any type as text, decimals exact; a struct has dotted names; the row number counts from 1.
"""

from leaddone_pipeline.intake.readers.opening import open_table
from leaddone_pipeline.intake.readers.places import expand
from leaddone_pipeline.intake.readers.table import TableFile

__all__ = ["TableFile", "expand", "open_table"]
