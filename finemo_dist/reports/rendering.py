"""Templates into one self-contained page under a policy that forbids every request."""

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from finemo_dist.core.words import be, count, number, percent
from finemo_dist.reports.charts import Chart, chart_program
from finemo_dist.reports.matrices import Matrix, short_name


def render(template: str, context: Mapping[str, Any]) -> str:
    """Return a page: a template of ``reports/templates`` with style and scripts inside it.

    Every value is escaped. The page's content security policy names the scripts by their digests
    and allows no other, no ``eval``, and nothing from anywhere.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.policies["json.dumps_kwargs"] = {
        "separators": (",", ":"),
        "ensure_ascii": False,
        "allow_nan": False,
    }
    scripts = {
        "early": _template("early.js"),
        "charts": chart_program(),
        "page": _template("page.js"),
    }
    # Only these three texts, which come with the package, go into the page as they are.
    return environment.get_template(template).render(
        **context,
        policy=_policy(scripts.values()),
        style=Markup(_template("page.css")),
        scripts={key: Markup(text) for key, text in scripts.items()},
        be=be,
        count=count,
        number=number,
        percent=percent,
        short=short_name,
    )


def chart_payload(charts: tuple[Chart, ...]) -> dict[str, Any]:
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
