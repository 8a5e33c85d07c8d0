from ci_publish.distributions.faults import Fault, bad_request_refusal, invalid_file_refusal, upload_crash_refusal


def test_a_fault_says_nothing_of_the_server_unless_it_refuses() -> None:
    fault = Fault(rule="file-stray", message="Not a wheel or sdist; skipped.")
    assert (fault.refusal, fault.filename, fault.advice) == (None, None, "")


def test_the_servers_answers() -> None:
    assert (bad_request_refusal("No.").status, bad_request_refusal("No.").message) == (400, "No.")
    assert invalid_file_refusal("None").message == "Invalid distribution file. None"
    assert (upload_crash_refusal().status, upload_crash_refusal().message) == (500, "Internal Server Error")
