"""The stages that customers have gone through, from the days on which rules began to hold."""

from typing import NamedTuple

import numpy as np

NOWHERE = -1


class StageRules(NamedTuple):
    """What limits moving between stages; stages are numbered in the order they are tried.

    :param min_days: nobody leaves by rule before so many days in the stage
    :param max_days: after so many days the stage's rule no longer keeps anybody; 0: no limit
    :param enter_from: bit i: may be entered from stage i; 0: from anywhere
    :param after_order: 1: may be entered only by who has ordered since he entered the stage before
    """

    min_days: np.ndarray
    max_days: np.ndarray
    enter_from: np.ndarray
    after_order: np.ndarray | None = None


class Moves(NamedTuple):
    """Changes of stage, each customer's in a row and by day; arrays of equal length.

    ``source`` and ``since`` (the day the former stage began) are -1 for a customer's first.
    """

    customer: np.ndarray
    day: np.ndarray
    source: np.ndarray
    target: np.ndarray
    since: np.ndarray


def replay_stages(customer, day, enter, keep, rules, until, ordered=None):
    """Go through the days of all customers at once, as if they had been classified every day.

    From a row's day to the one before the customer's next row the same rules hold. Every day the
    first stage wins whose rule holds: the rule that lets in, or for the stage a customer is in the
    one that keeps; the last stage takes everybody else. Only days are looked at on which that can
    change: those of the rows, the day after a move, and the ends of minimum and maximum stays.

    :param customer: ids, rows of a customer together
    :param day: whole numbers, ascending for each customer
    :param enter, keep: bit i is set where the rule of stage i lets in, or keeps who is there
    :param rules: :class:`StageRules`, at most 62 stages
    :param until: last day to look at
    :param ordered: day of the last order as known from each row on; never, where it is not given
    :return: :class:`Moves`
    :raise ValueError: for arrays of different lengths, unsorted days or too many stages
    """
    customer, day = np.asarray(customer, np.int64), np.asarray(day, np.int64)
    enter, keep = np.asarray(enter, np.int64), np.asarray(keep, np.int64)
    if rules.after_order is None:
        rules = rules._replace(after_order=np.zeros(len(rules.min_days)))
    rules = StageRules(*(np.asarray(each, np.int64) for each in rules))
    ordered = np.full(len(day), NOWHERE) if ordered is None else np.asarray(ordered, np.int64)
    if not customer.shape == day.shape == enter.shape == keep.shape == ordered.shape:
        raise ValueError("customer, day, enter, keep and ordered must be of equal length.")
    if not 0 < len(rules.min_days) <= 62:
        raise ValueError("There must be between 1 and 62 stages.")
    follows = customer[1:] == customer[:-1]
    if (follows & (day[1:] < day[:-1])).any():
        raise ValueError("The days of each customer must be in order.")
    if not len(customer):
        return Moves(*(np.empty(0, np.int64) for _name in Moves._fields))
    # rows that repeat the one before say nothing new
    changes = [each[1:] != each[:-1] for each in (enter, keep, ordered)]
    news = np.r_[True, ~follows | np.any(changes, axis=0)]
    customer, day, enter, keep, ordered = (
        each[news] for each in (customer, day, enter, keep, ordered)
    )
    first = np.r_[True, customer[1:] != customer[:-1]]
    row = np.flatnonzero(first)
    # the day on which the next row begins
    ends = np.r_[day[1:], until + 1]
    ends[np.r_[first[1:], True]] = until + 1
    now, stage = day[row], np.full(len(row), NOWHERE)
    since, streak = np.full(len(row), -1), np.zeros(len(row), np.int64)
    found = []
    alive = now <= until
    while alive.any():
        row, now, stage, since, streak = (
            each[alive] for each in (row, now, stage, since, streak)
        )
        target = _targets(
            stage, now - since, enter[row], keep[row], ordered[row] > since, rules
        )
        moved = target != stage
        found.append(
            (customer[row[moved]], now[moved], stage[moved], target[moved], since[moved])
        )
        since = np.where(moved, now, since)
        stage, streak = target, np.where(moved, streak + 1, 0)
        wake = _wake(now, stage, since, rules)
        # what the new stage lets in is seen a day later; rules in a circle are not followed on
        wake = np.where(moved & (streak <= len(rules.min_days)), now + 1, wake)
        end = ends[row]
        again = wake < end
        now, row = np.where(again, wake, end), row + ~again
        alive = now <= until
    parts = (np.concatenate(part) for part in zip(*found, strict=True))
    moves = Moves(*parts) if found else Moves(*(np.empty(0, np.int64) for _ in Moves._fields))
    order = np.lexsort((moves.day, moves.customer))
    return Moves(*(each[order] for each in moves))


def _targets(stage, stay, enter, keep, ordered, rules):
    """The stage that each customer belongs to, being in ``stage`` for ``stay`` days.

    :param ordered: whether he has ordered since the day on which he entered it
    """
    inside = stage != NOWHERE
    present = np.maximum(stage, 0)
    target = np.full(len(stage), len(rules.min_days) - 1)
    for number in reversed(range(len(rules.min_days))):
        may_enter = (enter >> number) & 1 == 1
        if rules.enter_from[number]:
            may_enter &= inside & ((rules.enter_from[number] >> present) & 1 == 1)
        if rules.after_order[number]:
            may_enter &= inside & ordered
        stays = (keep >> number) & 1 == 1
        if rules.max_days[number]:
            stays &= stay < rules.max_days[number]
        target = np.where(np.where(stage == number, stays, may_enter), number, target)
    return np.where(inside & (stay < rules.min_days[present]), stage, target)


def _wake(now, stage, since, rules):
    """The next day on which the time in the stage alone may change something."""
    never = np.iinfo(np.int64).max
    wake = np.full(len(now), never)
    for limit in (rules.min_days, rules.max_days):
        due = np.where(limit[stage] > 0, since + limit[stage], never)
        wake = np.where(due > now, np.minimum(wake, due), wake)
    return wake
