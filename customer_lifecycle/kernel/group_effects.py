"""What belonging to a group goes along with, other things being equal: shrunken, with an interval.

In: for each customer a group (what he bought first), a stratum (when and where), and an outcome
(came back or not, value after a year). Out: for each group how far its outcome lies above or below
what its strata would let expect, drawn towards nought where data are few. Called by the report on
first products.

Model: y_i = s_stratum(i) + d_group(i) + e_i, with the group effects d weighted by customers to
mean nought; least squares by alternating means (Gauss–Seidel on the two-way layout). Shrinkage:
d_g ~ N(0, τ²) with τ² by moments (DerSimonian & Laird 1986, eq. 8); posterior mean
d_g·τ²/(τ²+v_g) and variance τ²v_g/(τ²+v_g) (Efron & Morris 1975). Values are heavy-tailed: they are
cut at the 99th percentile of all before.
"""

from dataclasses import dataclass

import numpy as np

#: rounds of alternating means at most; changes below this part of the spread end them
ROUNDS, PRECISION = 200, 1e-6
#: half-width of a 95 % interval in standard deviations
NORMAL_95 = 1.959964
#: what is above this share of all outcomes is cut there
CUT = 0.99


@dataclass(frozen=True)
class GroupEffects:
    """An entry for each group, in the order of their ids; outcomes in the input's unit."""

    group: np.ndarray
    count: np.ndarray
    #: mean outcome as it is
    mean: np.ndarray
    #: expected mean if the group's customers came in the strata of all: overall + shrunken effect
    adjusted: np.ndarray
    low: np.ndarray
    high: np.ndarray
    #: mean of all
    overall: float

    def __len__(self):
        return len(self.group)

    @property
    def verdict(self):
        """1 where the interval lies above the mean of all, -1 below, else 0."""
        return (self.low > self.overall).astype(int) - (self.high < self.overall).astype(int)


def group_effects(group, stratum, outcome, *, cut=None):
    """Effects of groups on an outcome within strata.

    :param group, stratum: whole numbers, an entry for each customer
    :param outcome: numbers; True and False count as 1 and 0
    :param cut: quantile at which outcomes are cut; None: not at all
    :return: a :class:`GroupEffects`; of no customers an empty one
    """
    outcome = np.asarray(outcome, dtype=float)
    groups, g = np.unique(np.asarray(group), return_inverse=True)
    strata, s = np.unique(np.asarray(stratum), return_inverse=True)
    if not len(outcome):
        nothing = np.zeros(0)
        return GroupEffects(groups, nothing.astype(int), *[nothing] * 4, 0.0)
    if cut is not None:
        outcome = np.minimum(outcome, np.quantile(outcome, cut))
    count = np.bincount(g)
    size = np.bincount(s)
    mean = np.bincount(g, outcome) / count
    overall = float(outcome.mean())

    effect = np.zeros(len(groups))
    enough = PRECISION * max(float(outcome.std()), 1e-300)
    for _round in range(ROUNDS):
        level = np.bincount(s, outcome - effect[g], len(strata)) / size
        before, effect = effect, np.bincount(g, outcome - level[s], len(groups)) / count
        effect -= (effect * count).sum() / count.sum()
        if np.abs(effect - before).max() <= enough:
            break
    rest = outcome - level[s] - effect[g]
    free = max(len(outcome) - len(groups) - len(strata) + 1, 1)
    # how much is left to tell groups apart once strata are told: a group that has a stratum of its
    # own says nothing
    share = np.bincount(g * len(strata) + s, minlength=len(groups) * len(strata))
    share = share.reshape(len(groups), len(strata))
    known = count - (share**2 / size).sum(axis=1)
    spread = (rest**2).sum() / free
    # each group's own spread, of few drawn towards that of all
    own = (np.bincount(g, rest**2) + 10 * spread) / (count + 10)
    with np.errstate(divide="ignore"):
        variance = np.where(known > 1e-9, own / np.maximum(known, 1e-9), np.inf)

    between = _between(effect, variance)
    shrink = between / (between + variance) if between > 0 else np.zeros(len(groups))
    deviation = NORMAL_95 * np.sqrt(shrink * np.where(np.isfinite(variance), variance, 0.0))
    centre = overall + shrink * effect
    alone = ~np.isfinite(variance)
    deviation[alone] = NORMAL_95 * np.sqrt(between)
    return GroupEffects(
        groups, count, mean, centre, centre - deviation, centre + deviation, overall
    )


def _between(effect, variance):
    """Variance τ² of the true effects: DerSimonian & Laird 1986, eq. 8, not below nought."""
    known = np.isfinite(variance)
    if known.sum() < 2:
        return 0.0
    effect, weight = effect[known], 1 / np.maximum(variance[known], 1e-12)
    centre = (weight * effect).sum() / weight.sum()
    q = (weight * (effect - centre) ** 2).sum()
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    return max(0.0, (q - (len(effect) - 1)) / scale) if scale > 0 else 0.0
