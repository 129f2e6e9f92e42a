"""Domains that people wrote down as text.

In: the text of a field. Out: the domain, or why it is none. Called by whatever is described by
data: sources, signals, rules, filters of workflows and comparisons.
"""

from ast import literal_eval

from odoo.fields import Domain


def read_domain(env, text):
    """Domain written down as text; none at all is the domain of everything.

    :raise ValueError: it is none
    """
    try:
        return Domain(literal_eval((text or "").strip() or "[]"))
    except (SyntaxError, TypeError, ValueError) as error:
        raise ValueError(
            env._("“%s” is no filter; write conditions like [('state', '=', 'sale')].", text)
        ) from error
