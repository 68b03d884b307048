"""One page that stands alone: template, style and script in a single file without a network."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from onkos.core.plain import to_plain
from onkos.core.reading import Provenance
from onkos.core.source import PHANTOM, Caveat
from onkos.report.words import counted

_FOLDER = resources.files("onkos.report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A line of a list of facts; ``code`` for what is copied rather than read."""

    name: str
    value: str
    code: bool = False


def fill(
    template: str, *, style: tuple[str, ...], script: tuple[str, ...] = (), **content: Any
) -> str:
    """Fill a template, every value escaped, with its style and script inside.

    The page carries a policy that lets the browser load nothing and run nothing but this very
    style and script.

    Parameters
    ----------
    template
        Name in ``templates``.
    style, script
        Names in ``assets``.
    content
        What the template lays out.
    """
    css = "\n".join(_asset(name) for name in style)
    js = "\n".join(_asset(name) for name in script)
    allowed = _digest(js) if js else "'none'"
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src {_digest(css)}; script-src {allowed}"
    )
    return _TEMPLATES.get_template(template).render(css=css, js=js, policy=policy, **content)


def embedded(value: Any) -> str:
    """JSON that can stand inside a script element: no markup, no line separators."""
    text = json.dumps(to_plain(value), allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def is_phantom(caveats: tuple[Caveat, ...]) -> bool:
    """Tell whether the result was made from simulated images."""
    return any(caveat.code == PHANTOM.code for caveat in caveats)


def said(provenance: Provenance, extra: Mapping[str, str]) -> tuple[Fact, ...]:
    """List how a result came to be; empty facts are left out."""
    facts = [
        *(Fact(name=name, value=value, code=True) for name, value in extra.items()),
        Fact(name="Made", value=provenance.created),
        Fact(name="Onkos", value=provenance.version),
        Fact(name="Model", value=provenance.model),
        Fact(name="Weights, SHA-256", value=provenance.weights_sha256, code=True),
        Fact(
            name=f"Read: {counted(len(provenance.inputs), 'input')}",
            value="\n".join(provenance.inputs),
            code=True,
        ),
        Fact(name="Settings", value=_settings(provenance.settings), code=True),
        Fact(name="Seed", value="none" if provenance.seed is None else str(provenance.seed)),
    ]
    return tuple(fact for fact in facts if fact.value)


def _settings(settings: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{key} = {json.dumps(to_plain(value), ensure_ascii=False)}"
        for key, value in settings.items()
    )


def _asset(name: str) -> str:
    return (_FOLDER / "assets" / name).read_text(encoding="utf-8")


def _template(name: str) -> str:
    return (_FOLDER / "templates" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


_TEMPLATES = Environment(
    loader=FunctionLoader(_template),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
