"""A back-test drawn as one page of HTML that needs nothing else.

In: what ``backtest.run`` found. Out: text of the page: orders by tenth of the forecast, chances
against the share that came true, totals by month, and the errors of every method.
"""

from __future__ import annotations

from html import escape

from lifecycle_setup.backtest import METRICS

WIDTH, HEIGHT, EDGE = 520, 260, 44
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22252b; background: #fff;
       max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .25rem; }
p { color: #5b606a; margin: .25rem 0 1rem; }
figure { display: inline-block; margin: 0 2rem 1rem 0; vertical-align: top; max-width: 100%; }
figcaption { font-weight: 600; } svg { max-width: 100%; height: auto; }
.said { fill: #9fb4d9; stroke: #9fb4d9; } .came { fill: #2f5597; stroke: #2f5597; }
.line { stroke: #9aa0aa; stroke-dasharray: 4 4; } text { font-size: 11px; fill: #5b606a; }
div { overflow-x: auto; } table { border-collapse: collapse; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #e3e5e9; }
th:first-child { text-align: left; }
"""


def page(result: dict) -> str:
    """The page as text."""
    title = f"Forecasts for {result['calibration_end']} to {result['holdout_end']}"
    parts = [f"<h1>{escape(title)}</h1>", f"<p>{result['n_customers']} customers</p>"]
    if not result["holdout"]:
        parts.append("<p>Nothing to compare with.</p>")
    else:
        deciles, reliability = result["deciles"], result["reliability"]
        names = [str(number) for number in range(1, len(deciles) + 1)]
        months = result["months"]
        parts += [
            _bars("Orders per customer, by tenth of the forecast", names, deciles),
            _reliability("Chance of an order, and the share that ordered", reliability),
            _bars("Orders by month", [each["month"] for each in months], months),
            "<p>Light: forecast; dark: what came.</p>",
            "<h2>Errors</h2>",
            _table(result["holdout"]),
        ]
        if "dates" in result:
            parts.append(f"<h2>Mean of {len(result['dates'])} dates</h2>")
            parts.append("<p>Of the bias, the root mean square.</p>")
            parts.append(_table(result["mean"]))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _figure(caption, inner):
    return (
        f"<figure><figcaption>{escape(caption)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(caption)}">{inner}</svg></figure>'
    )


def _bars(caption, names, parts):
    """Forecast and actual side by side."""
    most = max([each[key] for each in parts for key in ("predicted", "actual")] + [1e-9])
    step, inner = (WIDTH - EDGE) / max(len(parts), 1), []
    for place, (name, each) in enumerate(zip(names, parts, strict=True)):
        left = EDGE + place * step
        for shift, key, kind in ((0.1, "predicted", "said"), (0.5, "actual", "came")):
            height = (HEIGHT - 50) * each[key] / most
            inner.append(
                f'<rect class="{kind}" x="{left + shift * step:.1f}" width="{0.36 * step:.1f}" '
                f'y="{HEIGHT - 24 - height:.1f}" height="{height:.1f}">'
                f"<title>{escape(name)}: {each[key]:.3g}</title></rect>"
            )
        if len(parts) <= 12 or place % (len(parts) // 8) == 0:
            inner.append(
                f'<text x="{left + 0.5 * step:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
                f"{escape(name)}</text>"
            )
    inner.append(f'<text x="0" y="34">{most:.3g}</text><text x="0" y="{HEIGHT - 24}">0</text>')
    return _figure(caption, "".join(inner))


def _reliability(caption, parts):
    """Points on the diagonal are chances that came true as often as they said."""

    def x(share):
        return EDGE + share * (WIDTH - EDGE - 12)

    def y(share):
        return HEIGHT - 24 - share * (HEIGHT - 50)

    inner = [f'<line class="line" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>']
    for each in parts:
        inner.append(
            f'<circle class="came" cx="{x(each["predicted"]):.1f}" cy="{y(each["actual"]):.1f}" '
            f'r="5"><title>{each["predicted"]:.1%} said, {each["actual"]:.1%} came, '
            f"{each['customers']} customers</title></circle>"
        )
    for share in (0.0, 0.5, 1.0):
        inner.append(
            f'<text x="{x(share):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{share:.0%}</text>'
            f'<text x="0" y="{y(share) + 4:.1f}">{share:.0%}</text>'
        )
    return _figure(caption, "".join(inner))


def _table(methods):
    head = "".join(f"<th>{escape(text)}</th>" for text in METRICS.values())
    rows = "".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th>"
        + "".join(f"<td>{'–' if v is None else f'{v:.3f}'}</td>" for v in map(found.get, METRICS))
        + "</tr>"
        for name, found in methods.items()
    )
    return f"<div><table><tr><th></th>{head}</tr>{rows}</table></div>"
