import pytest

from ci_publish.distributions.archive_reading import (
    InflateBudget,
    encrypted_code_faults,
    is_scanned_for_encrypted_code,
    is_unsafe_member_path,
    quote_first_member_names,
    unsafe_member_path_faults,
)
from ci_publish.distributions.limits import SCAN_SIZE


@pytest.mark.parametrize("name", ["/etc/passwd", "\\x", "C:x", "../x", "a/../../x", "a\\..\\x", "..", "a/.."])
def test_paths_that_can_leave_the_folder(name: str) -> None:
    assert is_unsafe_member_path(name)


@pytest.mark.parametrize("name", ["a", "a/b", "a..b", "..a/b", "a/...", "demo-1.0/déjà vu"])
def test_paths_that_stay_in_the_folder(name: str) -> None:
    assert not is_unsafe_member_path(name)


def test_unsafe_paths_are_one_fault_with_the_first_few_names() -> None:
    (fault,) = unsafe_member_path_faults(["a", "/1", "/2", "/3", "/4"], "archive-unsafe-path")
    assert fault.rule == "archive-unsafe-path"
    assert fault.message.endswith("'/1', '/2', '/3' and 1 more.")
    assert list(unsafe_member_path_faults(["a"], "archive-unsafe-path")) == []


def test_a_short_list_is_shown_whole() -> None:
    assert quote_first_member_names(["a", "b"]) == "'a', 'b'"


def test_code_is_scanned_up_to_a_size() -> None:
    assert is_scanned_for_encrypted_code("a.PY", SCAN_SIZE)
    assert not is_scanned_for_encrypted_code("a.py", SCAN_SIZE + 1)
    assert not is_scanned_for_encrypted_code("a.txt", 1)


def test_the_tool_that_encrypted_the_code_is_named() -> None:
    (armored,) = encrypted_code_faults("a.py", b"__pyarmor" + b"_enter__")
    assert "PyArmor" in armored.message
    assert not list(encrypted_code_faults("a.py", b"__pyarmor" + b"_other"))
    assert not list(encrypted_code_faults("a.py", b"---BEGIN" + b" PYE FILE---"))
    (defended,) = encrypted_code_faults("a.pye", b"---BEGIN" + b" PYE FILE---\n---END" + b" PYE FILE---")
    assert "SourceDefender" in defended.message


def test_a_budget_counts_both_bytes_and_digests() -> None:
    budget = InflateBudget(10, 5)
    budget.consume_bytes(4)
    assert (budget.left, budget.digests) == (6, 1)
