import { KeepLast } from "@web/core/utils/concurrency";
import { deserializeDate, serializeDate } from "@web/core/l10n/dates";
import { Model } from "@web/model/model";

const { DateTime } = luxon;

/** Periods to choose from; what has no days begins and ends with a calendar year. */
export const PERIODS = ["30", "90", "365", "this_year", "last_year", "dates"];
export const KINDS = ["order", "loss"];
const MODEL = "lifecycle.journey.map";

/** What the journey map shows: stages first, then what they earned and the ways there. */
export class JourneyMapModel extends Model {
    setup({ state, context }) {
        this.lasts = { map: new KeepLast(), earned: new KeepLast(), flows: new KeepLast() };
        KINDS.forEach((kind) => (this.lasts[kind] = new KeepLast()));
        this.period = { name: "365" };
        this.options = { level: "source", steps: 6 };
        this.asTable = false;
        this.status = "loading";
        this.error = "";
        this.parts = {};
        this.adopt(context);
        if (state) {
            // back from a list: what was there stands there at once, and is renewed meanwhile
            Object.assign(this, state, { status: state.map ? "ready" : "loading" });
        }
    }

    /** Take over what a favorite says about the period. */
    adopt(context = {}) {
        const wish = context.journey_map;
        const text = JSON.stringify(wish);
        if (wish && text !== this.wished) {
            this.period = wish.period || this.period;
            this.options = wish.options || this.options;
        }
        this.wished = text;
    }

    exportState() {
        const { period, options, asTable, map, parts, domain, wished, focus } = this;
        return { period, options, asTable, map, parts, domain, wished, focus };
    }

    exportContext() {
        return { journey_map: { period: this.period, options: this.options } };
    }

    /** Not awaited: the search bar must not wait for the figures. */
    async load({ domain, context }) {
        this.domain = domain;
        this.adopt(context);
        this.reload();
    }

    async reload() {
        if (!this.map) {
            this.status = "loading";
        }
        this.isBusy = true;
        this.notify();
        try {
            this.map = await this.lasts.map.add(this.call("get_map"));
            this.status = "ready";
        } catch (error) {
            this.status = "error";
            this.map = null;
            this.error = error.data?.message || error.message;
        }
        this.isBusy = false;
        this.notify();
        if (this.map?.total) {
            this.loadPart("earned", "get_earned");
            this.loadPart("flows", "get_migration");
            this.loadPaths();
        }
    }

    loadPaths() {
        for (const kind of KINDS) {
            this.loadPart(kind, "get_paths", kind, { ...this.options });
        }
    }

    /** A part that comes later, and may fail by itself. */
    async loadPart(name, method, ...args) {
        this.parts[name] = { ...this.parts[name], isBusy: true, error: false };
        this.notify();
        try {
            const data = await this.lasts[name].add(this.call(method, ...args));
            this.parts[name] = { data };
        } catch (error) {
            this.parts[name] = { error: error.data?.message || error.message };
        }
        this.notify();
    }

    call(method, ...args) {
        return this.orm.silent.call(MODEL, method, [this.domain, this.bounds, ...args]);
    }

    // ----- PERIOD -----

    /** The period as the server wants it. */
    get bounds() {
        const { name, start, end } = this.period;
        const year = DateTime.now().minus({ years: name === "last_year" ? 1 : 0 });
        if (name === "this_year") {
            return { start: serializeDate(year.startOf("year")), end: serializeDate(year) };
        }
        if (name === "last_year") {
            const [first, last] = [year.startOf("year"), year.endOf("year")];
            return { start: serializeDate(first), end: serializeDate(last) };
        }
        return name === "dates" ? { start, end } : { days: Number(name) };
    }

    choosePeriod(name) {
        const { start, end } = this.map || this.bounds;
        this.period = name === "dates" ? { name, start, end } : { name };
        this.reload();
    }

    chooseDay(which, date) {
        if (date) {
            this.period = { ...this.period, [which]: serializeDate(date) };
            this.reload();
        }
    }

    dayOf(which) {
        const day = this.period[which];
        return day ? deserializeDate(day) : false;
    }

    chooseOptions(options) {
        Object.assign(this.options, options);
        this.loadPaths();
    }

    showTable(asTable) {
        this.asTable = asTable;
        this.notify();
    }

    // ----- CUSTOMERS BEHIND A NUMBER -----

    /** Domain of a number: ``kind`` of it, stage and, for those who went on, where. */
    domainOf(kind, stage, next = null) {
        const { company_id, start, end } = this.map;
        const company = ["company_id", "=", company_id];
        if (kind === "now") {
            return [company, ["stage_id", "=", stage.id]];
        }
        const key = [kind, stage.id, start, end, ...(next === null ? [] : [next])];
        return [company, ["journey_map_cell", "=", key.join(":")]];
    }

    /** Whether a stage's customers got more back than they paid. */
    get hasLosses() {
        return (this.parts.earned?.data?.earned || []).some(([, earned]) => earned < 0);
    }

    /** Earned in the period by those who are in a stage now; undefined while it is not known. */
    earnedOf(stage) {
        const earned = this.parts.earned?.data?.earned;
        return earned && (earned.find(([id]) => id === stage.id)?.[1] ?? 0);
    }
}
