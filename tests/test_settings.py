from dataclasses import astuple

import pytest

from leaddone_pipeline.settings import (
    Account,
    Credentials,
    DeliverySettings,
    Guarantee,
    LeaseSettings,
    RetrySettings,
    TimeoutSettings,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://www.myleaddone.com/api/webhook", "https://www.myleaddone.com/api/webhook"),
        (" HTTPS://WWW.MyLeadDone.com:443/api/webhook/ ", "https://www.myleaddone.com/api/webhook"),
        ("http://127.0.0.1:8080/api/", "http://127.0.0.1:8080/api"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://host/Path", "https://host/Path"),
    ],
)
def test_spellings_of_one_address_are_one_account(written, kept):
    """Rule 1."""
    assert Account(written, "c").base_url == kept


@pytest.mark.parametrize(
    "address",
    [
        "",
        "leaddone.com",
        "ftp://leaddone.com",
        "http://leaddone.com/api",
        "http://127.0.0.1.evil.test/",
        "https://user:secret@leaddone.com",
        "https://leaddone.com/api?shop=1",
        "https://leaddone.com/api#x",
        "https://leaddone.com:99999/api",
        "https://[half/api",
        "https://a..b/api",
    ],
)
def test_an_address_that_no_customer_may_be_sent_to_is_refused(address):
    """Rule 31: https only, loopback excepted, no user info, no query string."""
    with pytest.raises(ValueError, match=r"^base_url .*; "):
        Account(address, "c")


@pytest.mark.parametrize(
    ("client_id", "secret"), [("", "s"), ("c", ""), ("c", "s\n"), (" c", "s"), ("é", "s")]
)
def test_credentials_that_cannot_be_right_are_refused_without_naming_them(client_id, secret):
    with pytest.raises(ValueError, match="copy it again") as refused:
        Credentials(client_id, secret)

    assert "s\n" not in str(refused.value)


def test_the_secret_is_in_no_repr():
    assert "planted" not in repr(Credentials("c", "planted"))


@pytest.mark.parametrize(
    "field", [{"batch_size": 0}, {"max_batch_bytes": 0}, {"max_batch_bytes": 9 << 20}, {"max_concurrency": 0}]
)
def test_limits_that_mean_nothing_are_refused_with_a_good_value(field):
    with pytest.raises(ValueError, match="good"):
        DeliverySettings(**field)


def test_the_guarantee_may_be_written_as_text():
    assert DeliverySettings(guarantee="at_most_once").guarantee is Guarantee.AT_MOST_ONCE


def test_the_numbers_of_the_rules_are_the_defaults():
    """Rules 10, 18, 25, 26 and 31."""
    assert astuple(TimeoutSettings()) == (5.0, 30.0, 60.0)
    assert astuple(LeaseSettings()) == (15.0, 3.0, 10.0)
    retry = RetrySettings()
    assert (retry.give_up_seconds, retry.longest_wait_seconds) == (20.0, 15 * 60.0)
    assert (retry.whole_unknown_batches, retry.unreachable_batches, retry.refusals_by_index) == (3, 3, 3)
    assert DeliverySettings().max_concurrency == 8
