import pickle

import pytest

from leaddone_pipeline import errors

BUILT = [
    errors.SettingsError("it is not set", remedy="Set it", setting="LEADDONE_CLIENT_ID"),
    errors.IntakeError("7 digits", remedy="Correct the row", file="orders.csv", row=412, column="Phone"),
    errors.IntakeError("no table", remedy="Export again", file="orders.csv"),
    errors.CredentialsRejected("LeadDone answered 401", remedy="Check them", status=401),
    errors.EndpointWrong("the address answered 404", remedy="Check it", status=404),
    errors.LeadDoneUnavailable("no answer", remedy="Run again"),
    errors.LedgerError("disk full", remedy="Make room", ledger="sqlite:///l.db"),
    errors.SignatureInvalid("another body", remedy="Sign the bytes sent"),
]


@pytest.mark.parametrize("error", BUILT, ids=lambda error: type(error).__name__)
def test_an_error_says_what_happened_and_what_to_do_and_survives_pickling(error):
    again = pickle.loads(pickle.dumps(error))

    assert str(error).endswith(f"{error.problem}. {error.remedy}.")
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_every_class_of_the_tree_is_built_here_and_drawn_in_the_docstring():
    classes = {getattr(errors, name) for name in errors.__all__} - {errors.LeadDoneError}

    assert {type(error) for error in BUILT} == classes
    assert all(cls.__name__ in errors.__doc__ and issubclass(cls, errors.LeadDoneError) for cls in classes)


def test_an_intake_error_names_file_row_and_column():
    assert str(BUILT[1]) == 'orders.csv, row 412, column "Phone": 7 digits. Correct the row.'
