"""The addresses of one index, as known so far."""

from ci_publish.index.current_endpoints import CurrentEndpoints, Sources
from ci_publish.index.endpoints import resolve_endpoints


def test_a_correction_is_new_once() -> None:
    current = CurrentEndpoints(resolve_endpoints("https://index.example/legacy"))
    assert current.correct(upload="https://index.example/legacy/")
    assert not current.correct(upload="https://index.example/legacy/")
    assert current.now.upload == "https://index.example/legacy/"
    assert current.correct(simple="https://index.example/simple/", simple_guesses=())
    assert current.now.upload == "https://index.example/legacy/"


def test_boundaries_differ() -> None:
    assert Sources().boundary() != Sources().boundary()
