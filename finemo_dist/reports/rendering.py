"""Templates into one self-contained page under a policy that forbids every request."""

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import jinja2
from markupsafe import Markup

from finemo_dist.core.words import be, count, number, percent
from finemo_dist.reports.matrices import Matrix, short_name

if TYPE_CHECKING:
    from finemo_dist.reports.charts import Chart

_REPORT: Final = ("early", "charts", "locus", "page")


def render(template: str, context: Mapping[str, Any], *, programs: Sequence[str] = _REPORT) -> str:
    """Return a page: a template of ``reports/templates`` with style and scripts inside it.

    ``programs`` are the scripts it takes: those of a report, or others without its charts. The
    program of charts is large and first needed when a chart comes into view: it is in the page
    deflated, and the page makes it a script.

    Every value is escaped. The page's content security policy names the scripts by their digests
    and allows no other, no ``eval``, and nothing from anywhere.
    """
    scripts = {name: _program(name) for name in programs}
    # Only these texts, which come with the package, go into the page as they are.
    return (
        _environment()
        .get_template(template)
        .render(
            **context,
            policy=_policy(scripts.values()),
            style=Markup(_template("page.css")),
            scripts={
                key: Markup(_deflated_program() if key == "charts" else text)
                for key, text in scripts.items()
            },
            be=be,
            count=count,
            number=number,
            percent=percent,
            short=short_name,
        )
    )


@cache
def _environment() -> jinja2.Environment:
    """Return what templates are compiled in: each once, however many pages are made of it."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["breakable"] = breakable
    environment.policies["json.dumps_kwargs"] = {
        "separators": (",", ":"),
        "ensure_ascii": False,
        "allow_nan": False,
    }
    return environment


def _program(name: str) -> str:
    if name != "charts":
        return _template(f"{name}.js")
    # Vega comes with libraries that only a page with charts needs.
    from finemo_dist.reports.charts import chart_program

    return chart_program()


@cache
def _deflated_program() -> str:
    """Return the program of charts deflated: once, however many pages are made."""
    return deflated(_program("charts"))


def deflated(text: str) -> str:
    """Return a text as ``locus.js`` inflates it, in the letters of base64."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")


def breakable(name: str) -> Markup:
    """Return a name that a narrow column may break after its dots and underscores."""
    parts = re.split(r"(?<=[._])", name)
    return Markup("<wbr>").join(parts)


def chart_payload(charts: "tuple[Chart, ...]") -> dict[str, Any]:
    """Return charts as the page's program takes them."""
    return {chart.key: {"spec": chart.spec, "rows": list(chart.rows)} for chart in charts}


def matrix_payload(matrices: tuple[Matrix, ...]) -> dict[str, Any]:
    """Return the values and names of matrices as the page's program takes them."""
    return {
        m.key: {
            "rows": m.rows,
            "columns": m.columns,
            "rowNoun": m.row_noun,
            "columnNoun": m.column_noun,
            "unit": m.unit,
            "values": m.values,
        }
        for m in matrices
    }


def _template(name: str) -> str:
    return files("finemo_dist.reports").joinpath("templates", name).read_text("utf-8")


def _policy(scripts: Any) -> str:  # noqa: ANN401  (the values of a dict)
    digests = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
