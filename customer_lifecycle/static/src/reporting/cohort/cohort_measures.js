import { _t } from "@web/core/l10n/translation";

/** What a table of cohorts can show; shares of the customers first, then money per customer. */
export function measuresOf({ value_is, knows_loss } = {}) {
    const measures = [
        { name: "ordered", isShare: true, label: _t("Share who ordered") },
        { name: "active", isShare: true, label: _t("Share not lost") },
        { name: "revenue", label: _t("Net revenue per customer") },
        { name: "revenue_so_far", label: _t("Net revenue per customer so far") },
        { name: "value", label: _t("Margin per customer") },
        { name: "value_so_far", label: _t("Margin per customer so far") },
    ];
    return measures.filter(
        ({ name }) =>
            (name !== "active" || knows_loss) &&
            (!name.startsWith("value") || (value_is && value_is !== "revenue")),
    );
}

/** The measure of a cohort so many periods after the first order; null where it is not known. */
export function cellValue(cohort, period, measure) {
    if (!cohort.looked_at || period >= cohort.periods.length) {
        return null;
    }
    if (!measure.endsWith("_so_far")) {
        return cohort.periods[period][measure] / cohort.looked_at;
    }
    const name = measure.replace("_so_far", "");
    const sum = cohort.periods.slice(0, period + 1).reduce((sum, part) => sum + part[name], 0);
    return sum / cohort.looked_at;
}

export function columnCount(cohorts) {
    return Math.max(0, ...cohorts.map(({ periods }) => periods.length));
}

/** For each period the mean of the cohorts for which it is over, weighted by their size. */
export function averages(cohorts, measure) {
    return Array.from({ length: columnCount(cohorts) }, (_, period) => {
        let [sum, size] = [0, 0];
        for (const cohort of cohorts) {
            if (cohort.looked_at && cohort.periods[period]?.complete) {
                sum += cellValue(cohort, period, measure) * cohort.size;
                size += cohort.size;
            }
        }
        return size ? sum / size : null;
    });
}

/** The last period, of the first year or dozen, that is over for at least half the customers. */
export function lastKnown(cohorts) {
    const total = cohorts.reduce((sum, { size }) => sum + size, 0);
    const isKnown = (period) => {
        const over = cohorts.filter(({ periods }) => periods[period]?.complete);
        return 2 * over.reduce((sum, { size }) => sum + size, 0) >= total;
    };
    let last = Math.min(12, columnCount(cohorts) - 1);
    while (last > 0 && !isKnown(last)) {
        last--;
    }
    return Math.max(last, 0);
}

/** How strongly to colour a value, from 0 to 1: a share as it is, money by the highest. */
export function strengthOf(value, isShare, highest) {
    if (isShare) {
        return value;
    }
    // by its root, or one large customer would leave all others white
    return highest > 0 && value > 0 ? Math.sqrt(value / highest) : 0;
}
