import { markRaw, reactive } from "@odoo/owl";
import { KeepLast } from "@web/core/utils/concurrency";
import { DAY, isoDay, isWhole, move, noonOf, startOf, zoom } from "./journey_time";

const PAGE = 60;
const NOTHING_CHOSEN = { lanes: [], text: "", attention: false, personId: false };

/** Where people were when they opened a document, to find them there when they come back. */
const places = new Map();

/** What is known of one customer's journey, and how to get more. */
export class JourneyModel {
    constructor(orm) {
        this.orm = orm;
        this.keepLast = new KeepLast();
        this.peeked = new Map();
        this.partnerId = false;
        this.status = "loading";
        this.error = "";
        this.data = null;
        this.overview = null;
        this.items = [];
        this.next = false;
        this.isLoadingMore = false;
        this.filters = { ...NOTHING_CHOSEN };
        this.period = null;
        return reactive(this);
    }

    // ----- LOADING -----

    async load(partnerId) {
        const place = places.get(partnerId);
        places.delete(partnerId);
        Object.assign(this, { partnerId, status: "loading", data: null, period: null });
        this.filters = { ...NOTHING_CHOSEN };
        if (place) {
            Object.assign(this, { filters: place.filters, period: place.period });
        }
        this.returnTo = place?.key;
        await this.reload({ overview: true, limit: Math.max(PAGE, place?.count || 0) });
    }

    /** Read the newest touchpoints anew; the list stays as it is until they are there. */
    async reload({ overview = false, limit = PAGE } = {}) {
        try {
            const page = await this.keepLast.add(this.call({ overview, limit }));
            if (overview) {
                // replaced as a whole, never changed: nothing in it needs to be watched
                this.data = markRaw({ ...this.data, ...page });
                this.overview = markRaw(overviewOf(this.data));
                this.peeked.clear();
            }
            Object.assign(this, {
                status: "ready",
                items: markRaw(page.items),
                next: page.next,
                isLoadingMore: false,
            });
        } catch (error) {
            Object.assign(this, { status: "error", error: error.data?.message || error.message });
        }
    }

    async loadMore() {
        if (!this.next || this.isLoadingMore || this.status !== "ready") {
            return;
        }
        this.isLoadingMore = true;
        try {
            const page = await this.keepLast.add(this.call({ before: this.next, limit: PAGE }));
            this.items = markRaw([...this.items, ...page.items]);
            this.next = page.next;
        } catch (error) {
            Object.assign(this, { status: "error", error: error.data?.message || error.message });
        }
        this.isLoadingMore = false;
    }

    call(options) {
        const { lanes, text, attention, personId } = this.filters;
        const period = this.period && {
            start: isoDay(this.period.start),
            end: isoDay(this.period.end - 1),
        };
        const all = { lanes, text, attention, person_id: personId, ...period, ...options };
        return this.orm.silent.call("lifecycle.journey", "get_journey", [this.partnerId, all]);
    }

    /** The touchpoints behind a marker, at most 20. */
    async peek(points) {
        const days = points.map((point) => point.day).sort();
        const sources = [...new Set(points.map((point) => point.source.id))];
        const key = JSON.stringify([days[0], days.at(-1), sources]);
        if (!this.peeked.has(key)) {
            const asked = { start: days[0], end: days.at(-1), sources, lanes: [], limit: 20 };
            const page = await this.call(asked);
            this.peeked.set(key, page.items);
        }
        return this.peeked.get(key);
    }

    // ----- CHOOSING -----

    filter(changes) {
        Object.assign(this.filters, changes);
        // what is counted by day depends on these, on the lanes it does not
        const overview = ["text", "attention", "personId"].some((name) => name in changes);
        return this.reload({ overview });
    }

    clearFilters() {
        this.period = null;
        return this.filter({ ...NOTHING_CHOSEN });
    }

    get isFiltered() {
        const { lanes, text, attention, personId } = this.filters;
        return Boolean(lanes.length || text || attention || personId || this.period);
    }

    show(period) {
        this.period = !period || isWhole(period, this.whole) ? null : period;
        return this.reload();
    }

    zoomed(factor, around) {
        return zoom(this.shown, this.whole, factor, around);
    }

    moved(share) {
        return move(this.shown, this.whole, share);
    }

    /** Remember what is shown, for whoever comes back from a document. */
    leaveAt(key) {
        const { filters, period } = this;
        const place = { filters: { ...filters }, period, key, count: this.items.length };
        places.set(this.partnerId, place);
    }

    // ----- READING -----

    get whole() {
        return this.overview.whole;
    }

    get shown() {
        return this.period || this.whole;
    }

    get sources() {
        return this.overview.sources;
    }

    get lanes() {
        return this.overview.lanes;
    }

    get total() {
        return this.overview.total;
    }
}

/**
 * What the screen needs to know of all touchpoints, worked out once whenever they are read.
 *
 * @returns {{sources: object, lanes: object[], whole: object, total: number}} sources by id; lanes
 *  with touchpoints, each with its number and its points in order of time; the whole period
 */
function overviewOf(data) {
    const sources = Object.fromEntries(data.sources.map((source) => [source.id, source]));
    const lanes = data.lanes.map((lane) => ({ ...lane, number: 0, points: [] }));
    const byName = Object.fromEntries(lanes.map((lane) => [lane.name, lane]));
    const noons = {};
    const anyDay = data.days[0]?.[1];
    // one hour of summer time more or less does not show: no calendar for each day
    const offset = anyDay ? noonOf(anyDay) - Date.parse(anyDay) : 0;
    let total = 0;
    for (const [sourceId, day, number, id, amount] of data.days) {
        const source = sources[sourceId];
        const lane = source && byName[source.lane];
        total += number;
        noons[day] ||= Date.parse(day) + offset;
        if (lane) {
            lane.number += number;
            lane.points.push({ source, day, number, id, amount, time: noons[day] });
        }
    }
    for (const lane of lanes) {
        lane.points.sort((one, other) => one.time - other.time);
    }
    return {
        total,
        // what a getter of a watched object returns is watched too, unless marked itself
        sources: markRaw(sources),
        lanes: markRaw(lanes.filter((lane) => lane.number)),
        whole: markRaw(wholeOf(data, Object.keys(noons))),
    };
}

/** From the first touchpoint or stage to today, the last planned touchpoint or the forecast. */
function wholeOf({ bands, forecast, today }, days) {
    const known = [...days, today];
    const first = [...known, ...bands.map((band) => band.start)].sort()[0];
    const last = [...known, forecast ? forecast.to : today].sort().at(-1);
    const start = startOf(first);
    const end = startOf(last) + DAY;
    const margin = Math.max((end - start) * 0.02, 2 * DAY);
    return { start: start - margin, end: end + margin };
}
