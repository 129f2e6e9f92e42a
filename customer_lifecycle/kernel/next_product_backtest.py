"""How often suggested products are bought, tried on a company's own past, beside simple ways.

In: purchases of products. Out: hit rates and recall of the suggestions that would have been made
a horizon ago, and of what anybody would suggest without them. Stored by the weekly run.
"""

import numpy as np
from scipy import sparse

from .next_product import (
    MOST_JUDGED,
    SUGGESTIONS,
    _keys,
    learn_products,
    learn_weights,
    suggest,
)
from .product_pairs import _isin, _place, habits_of, spread

#: customers that are tried, and customers that likeness of products is taken from
MOST_TRIED, MOST_COMPARED = 5_000, 50_000
#: with fewer customers a rate says nothing
LEAST_TRIED = 30
#: customers at a time whose scores of all products are in memory
_AT_ONCE = 200


def backtest_products(log, today, horizon, limit=SUGGESTIONS):
    """Try suggestions on what customers bought within the horizon that ended today.

    Whatever is known is from before it. Those are tried who had bought before and did again.

    - ``own``: what a customer bought most often, of the same what more people bought lately
    - ``popular``: what most customers bought lately
    - ``cosine``: what is bought by the same customers as what he has, that itself included
    - ``cosine_new``: the same of what he has not got yet

    :param log: :class:`.product_pairs.Log`
    :return: dict day, until, horizon, customers, methods: name → hit (share of customers who
        bought one of the suggestions at least), recall (mean share of what they bought that was
        suggested); None with too few customers
    """
    log, split = log.sample(MOST_JUDGED), today - horizon
    past, bought = log.until(split), _keys(log.until(today), after=split)
    n_products = max(len(log.products), 1)
    who = np.intersect1d(np.unique(bought // n_products), np.unique(past.customer))
    if len(who) < LEAST_TRIED:
        return None
    who = spread(who, MOST_TRIED)
    basket = np.bincount(bought // n_products, minlength=len(log.customers))
    weights = learn_weights(log, split, horizon)
    told = suggest(past.of(who), split, learn_products(log, split, horizon), weights, limit)
    ours = np.searchsorted(log.customers, told.customer) * n_products
    ours = ours + np.searchsorted(log.products, told.product)
    ways = {"product": ours, **_simple_ways(past, split - horizon, who, limit)}
    methods = {}
    for name, keys in ways.items():
        hits = _isin(keys, bought)
        hits = np.bincount(keys[hits] // n_products, minlength=len(log.customers))[who]
        methods[name] = {
            "hit": float((hits > 0).mean()),
            "recall": float((hits / basket[who]).mean()),
        }
    return {
        "day": int(split),
        "until": int(today),
        "horizon": int(horizon),
        "customers": len(who),
        "methods": methods,
    }


def _simple_ways(past, lately, who, limit):
    """Name → keys of customers and products that simple ways suggest to the customers ``who``."""
    habits, n_products = habits_of(past), len(past.products)
    recent = past.day > lately
    popular = np.bincount(past.product[recent], minlength=n_products).astype(float)
    popular /= popular.max() + 1
    mine = habits.product + habits.customer.astype(np.int64) * n_products
    tried = np.zeros(len(past.customers), bool)
    tried[who] = True
    often = np.flatnonzero(tried[habits.customer])
    score = habits.times[often] + popular[habits.product[often]]
    own = often[_place(habits.customer[often], -score) < limit]
    best = np.argsort(-popular, kind="stable")[:limit]
    return {
        "own": mine[own],
        "popular": (who[:, None] * n_products + best).ravel(),
        **_by_cosine(past, habits, who, limit),
    }


def _by_cosine(past, habits, who, limit):
    """Keys of the products most like those that customers have bought, with and without these."""
    shape = (len(past.customers), len(past.products))
    bought = sparse.csr_matrix((np.log1p(habits.times), (habits.customer, habits.product)), shape)
    length = np.sqrt(np.asarray(bought.multiply(bought).sum(axis=0)).ravel())
    scale = sparse.diags(1 / np.maximum(length, 1e-9))
    compared = bought[spread(np.unique(habits.customer), MOST_COMPARED)] @ scale
    found = {"cosine": [], "cosine_new": []}
    for start in range(0, len(who), _AT_ONCE):
        part = who[start : start + _AT_ONCE]
        score = np.asarray((((bought[part] @ scale) @ compared.T) @ compared).todense())
        for keys in found.values():
            best = np.argsort(-score, axis=1, kind="stable")[:, :limit]
            keys.append((part[:, None] * shape[1] + best).ravel())
            score[bought[part].nonzero()] = -1.0
    return {name: np.concatenate(keys) for name, keys in found.items()}
