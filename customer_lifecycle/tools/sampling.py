"""Samples of very many customers that are always the same ones.

In: how many there are, and how many can be looked at. Out: one in how many is looked at, and the
condition that picks them by a hash of their ids: whoever looks again, or in another report, sees
the same customers. Called by fits, measured stages, journey map and cohorts.
"""

from odoo.tools import SQL


def sample_rate(count, most):
    """One in how many is looked at, so that they are about ``most`` at the most; 1: all."""
    return max(1, -(-count // most))


def in_sample(id_, rate):
    """Condition of those who are looked at.

    :param id_: SQL of an integer id
    :param rate: see ``sample_rate``
    """
    return SQL("hashint4(%s) %% %s = 0", id_, rate) if rate > 1 else SQL("TRUE")
