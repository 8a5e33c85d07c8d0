from ci_publish.distributions.faults import Fault, crashed, invalid_file, refused


def test_a_fault_says_nothing_of_the_server_unless_it_refuses() -> None:
    fault = Fault(rule="file-stray", message="Not a wheel or sdist; skipped.")
    assert (fault.refusal, fault.filename, fault.advice) == (None, None, "")


def test_the_servers_answers() -> None:
    assert (refused("No.").status, refused("No.").message) == (400, "No.")
    assert invalid_file("None").message == "Invalid distribution file. None"
    assert (crashed().status, crashed().message) == (500, "Internal Server Error")
