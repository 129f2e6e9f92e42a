import { Component, onWillUnmount } from "@odoo/owl";
import { DateTimeInput } from "@web/core/datetime/datetime_input";
import { _t } from "@web/core/l10n/translation";
import { formatInteger } from "@web/views/fields/formatters";
import { DAY } from "./journey_time";

const { DateTime } = luxon;
const RECENT = 365 * DAY;

/** Choosing what is shown: lanes, words, person, days, and how far to look. */
export class JourneyFilters extends Component {
    static template = "customer_lifecycle.JourneyFilters";
    static components = { DateTimeInput };
    static props = { model: Object, small: Boolean };

    setup() {
        this.formatInteger = formatInteger;
        onWillUnmount(() => clearTimeout(this.typing));
    }

    get model() {
        return this.props.model;
    }

    get start() {
        return this.model.period ? DateTime.fromMillis(this.model.period.start) : false;
    }

    get end() {
        return this.model.period ? DateTime.fromMillis(this.model.period.end - 1) : false;
    }

    get attentionNumber() {
        const { sources } = this.model;
        const isBad = (row) => sources[row[0]]?.sentiment === "bad";
        return this.model.data.days.filter(isBad).reduce((sum, row) => sum + row[2], 0);
    }

    isChosen(lane) {
        return this.model.filters.lanes.includes(lane.name);
    }

    laneText(lane) {
        return _t("%(lane)s: %(number)s", { lane: lane.label, number: formatInteger(lane.number) });
    }

    toggleLane(lane) {
        const { lanes } = this.model.filters;
        this.model.filter({
            lanes: this.isChosen(lane)
                ? lanes.filter((name) => name !== lane.name)
                : [...lanes, lane.name],
        });
    }

    onText(ev) {
        const text = ev.target.value;
        clearTimeout(this.typing);
        this.typing = setTimeout(() => this.model.filter({ text }), 300);
    }

    onPerson(ev) {
        this.model.filter({ personId: Number(ev.target.value) || false });
    }

    onStart(moment) {
        const { end } = this.model.shown;
        this.showFrom(moment ? moment.startOf("day").toMillis() : this.model.whole.start, end);
    }

    onEnd(moment) {
        const { start } = this.model.shown;
        this.showFrom(start, moment ? moment.endOf("day").toMillis() : this.model.whole.end);
    }

    showFrom(start, end) {
        this.model.show(start < end ? { start, end } : { start: end - DAY, end: start + DAY });
    }

    showRecent() {
        const { end } = this.model.whole;
        this.model.show({ start: end - RECENT, end });
    }

    get hasMoreThanAYear() {
        const { start, end } = this.model.whole;
        return end - start > RECENT;
    }
}
