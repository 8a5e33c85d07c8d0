import pytest

from ci_publish.distributions.faults import (
    Fault,
    bad_request_refusal,
    invalid_file_refusal,
    list_first,
    upload_crash_refusal,
)


def test_a_fault_says_nothing_of_the_server_unless_it_refuses() -> None:
    fault = Fault(rule="file-stray", message="Not a wheel or sdist; skipped.")
    assert (fault.refusal, fault.filename, fault.advice) == (None, None, "")


def test_the_servers_answers() -> None:
    assert (bad_request_refusal("No.").status, bad_request_refusal("No.").message) == (400, "No.")
    assert invalid_file_refusal("None").message == "Invalid distribution file. None"
    assert (upload_crash_refusal().status, upload_crash_refusal().message) == (500, "Internal Server Error")


@pytest.mark.parametrize(
    ("texts", "listed"),
    [([], ""), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more"), (["a", "b", "c", "d"], "a, b and 2 more")],
)
def test_the_first_of_many_texts_are_listed(texts: list[str], listed: str) -> None:
    assert list_first(iter(texts), 2) == listed


def test_a_list_inside_a_sentence_can_have_another_conjunction() -> None:
    assert list_first(["a", "b"], 1, ", and") == "a, and 1 more"
