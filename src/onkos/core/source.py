"""Where data came from, and what about it must not be forgotten on the way."""

from __future__ import annotations

from dataclasses import dataclass

from onkos.core.wording import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveat:
    """Something a reader of any result must know; it travels from the file to the report.

    Parameters
    ----------
    code
        Stable kebab-case word for machines, e.g. ``missing-slice``.
    text
        One plain sentence for people: what is the matter and what it may do to the result.
    where
        What it is about, e.g. a series description and UID; empty for the whole study.
    region
        Name of the outlined region it is about; empty where it holds for all of them.
    """

    code: str
    text: str
    where: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        for name in ("text", "where", "region"):
            if not (told := getattr(self, name)).isprintable():
                object.__setattr__(self, name, printable(told))

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


#: Carried by everything that was simulated, and by everything made from it.
PHANTOM = Caveat(code="phantom", text="Simulated images (phantom): no patient was imaged.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One DICOM image that a slice came from; ``frame`` counts from 1 in a multi-frame image."""

    uid: str
    class_uid: str
    frame: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The DICOM series behind a volume.

    ``instances`` holds one entry a slice, in the order of array axis k, so that whatever is
    written from the volume can name the images it refers to.
    """

    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    instances: tuple[Instance, ...]
    description: str = ""
    series_number: int | None = None
