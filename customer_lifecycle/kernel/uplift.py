"""What a treatment brings against a control group: differences with their intervals.

In: numbers of two groups, and how many of each did something or how much they spent. Out: shares
and differences with 95 % intervals, and how many people a difference would need to be shown.
"""

import math

#: normal quantiles: 95 % interval, and 80 % power
Z_INTERVAL, Z_POWER = 1.959964, 0.841621
#: customers that each group needs before a mean of money is told with an interval
ENOUGH = 30


def wilson(successes, total):
    """95 % interval of a proportion (Wilson 1927), as (low, high)."""
    share = successes / total
    square = Z_INTERVAL**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = (
        Z_INTERVAL
        / (1 + square / total)
        * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    )
    return middle - half, middle + half


def difference_of_shares(first, first_total, second, second_total):
    """Difference of two proportions with its 95 % interval (Newcombe 1998, method 10).

    :return: (difference, low, high) of first minus second
    """
    share_1, share_2 = first / first_total, second / second_total
    low_1, high_1 = wilson(first, first_total)
    low_2, high_2 = wilson(second, second_total)
    difference = share_1 - share_2
    return (
        difference,
        difference - math.hypot(share_1 - low_1, high_2 - share_2),
        difference + math.hypot(high_1 - share_1, share_2 - low_2),
    )


def difference_of_means(first, second):
    """Difference of two means with its 95 % interval (normal, unequal variances).

    :param first, second: (number, sum, sum of squares) of each group
    """
    means, variances = [], []
    for number, total, squares in (first, second):
        mean = total / number
        means.append(mean)
        variances.append(max(0.0, squares - number * mean**2) / max(1, number - 1) / number)
    difference = means[0] - means[1]
    half = Z_INTERVAL * math.sqrt(sum(variances))
    return difference, difference - half, difference + half


def customers_needed(share_1, share_2, control):
    """How many customers in all would show a difference of two shares (80 % power, 5 % level).

    :param control: share of the control group, between 0 and 1
    :return: number, None where there is no difference to be shown
    """
    difference = share_1 - share_2
    if not difference:
        return None
    spread = share_1 * (1 - share_1) / (1 - control) + share_2 * (1 - share_2) / control
    return math.ceil((Z_INTERVAL + Z_POWER) ** 2 * spread / difference**2)
