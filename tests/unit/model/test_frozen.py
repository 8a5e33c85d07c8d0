import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Generic, TypeVar

import pytest

from ci_publish.model.frozen import frozen

T = TypeVar("T")


@frozen
class Point:
    """A point."""

    x: int
    y: int = 2
    tags: dict[str, int] = field(default_factory=dict)


@frozen
class Nothing:
    pass


@frozen
class Box(Generic[T]):
    content: T


@frozen
class Shy:  # noqa: PLW1641  (the hash is the decorator's)
    text: str

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shy)


def usual(name: str) -> type:
    """Return what the standard library makes of the same declarations."""
    original = {"Point": Point, "Nothing": Nothing, "Box": Box}[name]
    members = {
        member.name: field(default=member.default, default_factory=member.default_factory)
        for member in fields(original)
    }
    body = {"__annotations__": {m.name: m.type for m in fields(original)}, "__qualname__": name, **members}
    return dataclass(frozen=True, slots=True)(type(name, (), body))


PAIRS = [("Point", (1,)), ("Point", (1, 5, {"a": 1})), ("Nothing", ()), ("Box", ("x",))]


@pytest.mark.parametrize(("name", "arguments"), PAIRS)
def test_it_is_what_dataclass_makes(name: str, arguments: tuple[object, ...]) -> None:
    made = {"Point": Point, "Nothing": Nothing, "Box": Box}[name]
    ours, theirs = made(*arguments), usual(name)(*arguments)
    assert repr(ours) == repr(theirs)
    assert asdict(ours) == asdict(theirs)
    assert made.__match_args__ == usual(name).__match_args__  # type: ignore[attr-defined]
    assert made.__slots__ == usual(name).__slots__  # type: ignore[attr-defined]
    assert not hasattr(ours, "__dict__")
    assert list(inspect.signature(made).parameters) == list(inspect.signature(usual(name)).parameters)


def test_equal_values_are_equal_and_hash_alike() -> None:
    assert Box("a") == Box("a")
    assert Box("a") != Box("b")
    assert Box(1).__eq__((1,)) is NotImplemented
    assert Nothing() == Nothing()
    assert {Box("a"), Box("a"), Box("b")} == {Box("a"), Box("b")}
    not_a_number = float("nan")
    assert Box(not_a_number) == Box(not_a_number), "as in a tuple: what is the same is equal"


def test_a_value_of_another_class_is_not_equal() -> None:
    @frozen
    class Box2:
        content: str

    assert Box("a").__eq__(Box2("a")) is NotImplemented


def test_what_cannot_be_hashed_makes_the_value_so() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point(1))


def test_nothing_can_be_changed() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'z'"):
        point.z = 2  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert point == Point(1)


def test_defaults_are_made_anew() -> None:
    first, second = Point(1), Point(1)
    first.tags["a"] = 1
    assert second.tags == {}
    assert Point(1, tags={"b": 2}).tags == {"b": 2}


def test_arguments_are_judged_as_ever() -> None:
    with pytest.raises(TypeError, match=r"Point\.__init__\(\) missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Point(1, z=2)  # type: ignore[call-arg]


def test_values_are_copied_replaced_matched_and_pickled() -> None:
    point = Point(1, 3, {"a": 1})
    assert replace(point, y=4) == Point(1, 4, {"a": 1})
    assert copy.copy(point) == point
    assert copy.deepcopy(point) == point
    assert copy.deepcopy(point).tags is not point.tags
    assert pickle.loads(pickle.dumps(point)) == point  # noqa: S301  (our own)
    match point:
        case Point(x, y=y):
            assert (x, y) == (1, 3)


def test_methods_of_the_class_are_kept() -> None:
    assert repr(Shy("a")) == "***"
    assert Shy("a") == Shy("b")
    assert hash(Shy("a")) == hash(Shy("a"))


def test_what_is_no_plain_value_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Secretive is not a plain value; use `dataclass` for it"):

        @frozen
        class Secretive:
            text: str = field(repr=False)

    with pytest.raises(TypeError, match="not a plain value"):

        @frozen
        class Busy:
            text: str

            def __post_init__(self) -> None:
                """Do nothing."""


@frozen(kw_only=True)
class Named:
    first: int
    second: int = 2


def test_a_keyword_only_value_takes_no_position() -> None:
    assert Named(first=1) == Named(second=2, first=1)
    assert replace(Named(first=1), second=5) == Named(first=1, second=5)
    assert pickle.loads(pickle.dumps(Named(first=1))) == Named(first=1)  # noqa: S301  (our own bytes)
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[call-arg]


def test_what_is_keyword_only_for_one_field_is_not_a_plain_value() -> None:
    class Mixed:
        first: int
        second: int = field(kw_only=True)

    with pytest.raises(TypeError, match="not a plain value"):
        frozen(Mixed)
