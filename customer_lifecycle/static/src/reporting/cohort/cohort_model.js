import { deserializeDate, serializeDate } from "@web/core/l10n/dates";
import { KeepLast } from "@web/core/utils/concurrency";
import { Model } from "@web/model/model";

export const INTERVALS = ["month", "quarter", "year"];

/** The table of cohorts: what the server counted, and what of it is shown. */
export class CohortModel extends Model {
    setup({ state, context }) {
        this.last = new KeepLast();
        this.options = { interval: "month", measure: "ordered" };
        this.exact = false;
        this.status = "loading";
        this.error = "";
        this.adopt(context);
        if (state) {
            // back from a list: what was there stands there at once, and is renewed meanwhile
            Object.assign(this, state, { status: state.data ? "ready" : "loading" });
        }
    }

    /** Take over what a favorite says. */
    adopt(context = {}) {
        const wish = context.lifecycle_cohort;
        const text = JSON.stringify(wish);
        if (wish && text !== this.wished) {
            this.options = { ...this.options, ...wish };
        }
        this.wished = text;
    }

    exportState() {
        const { options, exact, data, domain, wished, focus } = this;
        return { options, exact, data, domain, wished, focus };
    }

    exportContext() {
        return { lifecycle_cohort: { ...this.options } };
    }

    /** Not awaited: the search bar must not wait for the figures. */
    async load({ domain, context }) {
        this.domain = domain;
        this.adopt(context);
        this.reload();
    }

    async reload() {
        if (!this.data) {
            this.status = "loading";
        }
        this.isBusy = true;
        this.notify();
        const { interval } = this.options;
        try {
            const data = await this.last.add(
                this.orm.silent.call("lifecycle.cohort", "get_cohorts", [
                    this.domain,
                    interval,
                    this.exact,
                ]),
            );
            this.data = { ...data, interval };
            this.status = "ready";
        } catch (error) {
            this.status = "error";
            this.data = null;
            this.error = error.data?.message || error.message;
        }
        this.isBusy = false;
        this.notify();
    }

    chooseInterval(interval) {
        this.options = { ...this.options, interval };
        this.reload();
    }

    chooseMeasure(measure) {
        this.options = { ...this.options, measure };
        this.notify();
    }

    countAll() {
        this.exact = true;
        this.reload();
    }

    // ----- CUSTOMERS BEHIND A NUMBER -----

    /** Domain of the customers of a cohort, or of those behind one number of a measure. */
    domainOf(measure, cohort, period = null) {
        const { company_id, interval } = this.data;
        const domain = [["company_id", "=", company_id]];
        if (period === null || measure.endsWith("_so_far")) {
            const end = deserializeDate(cohort.start).plus({ [`${interval}s`]: 1 });
            domain.push(["first_order_date", ">=", cohort.start]);
            domain.push(["first_order_date", "<", serializeDate(end)]);
        } else {
            const kind = ["ordered", "active"].includes(measure) ? measure : "bought";
            const key = [kind, interval, cohort.start, period].join(":");
            domain.push(["cohort_cell", "=", key]);
        }
        return domain;
    }
}
