import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from leaddone_pipeline.intake.normalize import STRING
from leaddone_pipeline.intake.seen import DIFFERS, NEW, REPEAT, Seen

records = st.lists(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("xy")), max_size=6), max_size=8
)


@given(records)
def test_the_first_of_each_key_stands_in_whatever_slices_it_comes(slices):
    seen, first = Seen(), {}
    for part in slices:
        keys, contents = (pd.Series([record[at] for record in part], dtype=STRING) for at in (0, 1))

        verdicts = seen.judge([keys], [contents])

        for (key, content), verdict in zip(part, verdicts, strict=True):
            known = first.setdefault(key, None)
            expected = NEW if known is None else REPEAT if known == content else DIFFERS
            first[key] = known or content
            assert verdict == expected
