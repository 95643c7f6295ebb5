import pytest

from openpoort.domain.ids import Identiteit, Kenmerk, Oin, elfproef


def test_oin_masks_itself_everywhere() -> None:
    oin = Oin("00000099123456789000")
    assert "123456" not in f"{oin} {oin!r}"
    assert oin.value == "00000099123456789000"


@pytest.mark.parametrize("text", ["", "1234", "0000009912345678900x", "000000991234567890001"])
def test_oin_refuses_other_shapes(text: str) -> None:
    with pytest.raises(ValueError, match="20 digits"):
        Oin(text)


def test_identity_compares_without_case_and_country() -> None:
    assert Identiteit("NL001000044B37", "BTW").key == Identiteit("001000044b37", "btw").key
    assert Identiteit("000000000L01", "LHnr").key == Identiteit("000000000L01", "Lhnr").key


def test_kenmerk_is_a_lower_case_uuid() -> None:
    with pytest.raises(ValueError, match="lower-case"):
        Kenmerk("9F1C4F52-6C9B-4B52-9D4B-4F1D6A1E9E11")


@pytest.mark.parametrize(
    ("number", "good"),
    [("111222333", True), ("123456782", True), ("123456789", False), ("000000000", False)],
)
def test_elfproef(number: str, good: bool) -> None:
    assert elfproef(number) is good
