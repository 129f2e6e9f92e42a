import { Component, onMounted, onWillUnmount, useRef, useState } from "@odoo/owl";
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";
import { usePopover } from "@web/core/popover/popover_hook";
import { JourneyBand } from "./journey_band";
import { formatNumber, formatPeriod } from "./journey_format";
import { JourneyDetails, JourneyPeek } from "./journey_marker";
import { cluster, DAY, startOf, ticks } from "./journey_time";

const SMALLEST = 22;
const LARGEST = 34;
const KEYS = { "+": 0.5, "=": 0.5, "-": 2 };

/** Band of life and swim lanes over one axis of time that can be zoomed and moved. */
export class JourneyLanes extends Component {
    static template = "customer_lifecycle.JourneyLanes";
    static components = { JourneyBand };
    static props = { model: Object, open: Function };

    setup() {
        this.root = useRef("root");
        this.track = useRef("track");
        this.state = useState({ width: 800 });
        this.details = usePopover(JourneyDetails, {
            animation: false,
            closeOnClickAway: false,
            position: "top",
            setActiveElement: false,
        });
        this.peek = usePopover(JourneyPeek, { position: "bottom" });
        const observer = new ResizeObserver(([entry]) => {
            this.state.width = entry.contentRect.width || this.state.width;
        });
        const onWheel = (ev) => this.onWheel(ev);
        onMounted(() => {
            observer.observe(this.track.el);
            // the listener must be able to prevent the browser from zooming the page
            this.root.el.addEventListener("wheel", onWheel, { passive: false });
        });
        onWillUnmount(() => observer.disconnect());
    }

    get model() {
        return this.props.model;
    }

    get lanes() {
        const chosen = this.model.filters.lanes;
        const period = this.model.shown;
        const lanes = this.model.lanes.filter(
            (lane) => !chosen.length || chosen.includes(lane.name),
        );
        const largest = lanes.reduce(
            (most, { points }) =>
                points.reduce((max, { amount }) => Math.max(max, amount || 0), most),
            1,
        );
        return lanes.map((lane) => ({
            ...lane,
            markers: cluster(lane.points, period, this.state.width, LARGEST + 2).map(
                (group, index) => this.marker(group, index, largest),
            ),
        }));
    }

    marker(group, index, largest) {
        const [point] = group.points;
        const single = group.number === 1;
        const amount = group.points.reduce((sum, one) => sum + (one.amount || 0), 0);
        const share = Math.sqrt(Math.min(1, amount / largest));
        const size = Math.round(SMALLEST + (LARGEST - SMALLEST) * share);
        const isBad = group.points.some((one) => one.source.sentiment === "bad");
        const isGood = single && point.source.sentiment === "good";
        const days = group.points.map((one) => one.day);
        const what = single ? point.source.name : formatNumber(group.number);
        return {
            ...group,
            key: `${index}-${point.day}`,
            label: `${what}, ${formatPeriod(days[0], days.at(-1))}`,
            icon: single && point.source.icon,
            className: { o_bad: isBad, o_good: isGood, o_many: !single },
            style: `inset-inline-start: ${group.share * 100}%; --size: ${size}px`,
        };
    }

    get hasBand() {
        const { bands, forecast } = this.model.data;
        return bands.length > 0 || Boolean(forecast);
    }

    get ticks() {
        return ticks(this.model.shown, this.state.width);
    }

    get todayShare() {
        const { start, end } = this.model.shown;
        const share = (startOf(this.model.data.today) + DAY / 2 - start) / (end - start);
        return share >= 0 && share <= 1 ? share : null;
    }

    get aboutKeys() {
        return _t(
            "Touchpoints by lane and time. Arrow keys go from one to the next, plus and minus zoom, Home shows everything.",
        );
    }

    // ----- MARKERS -----

    showDetails(ev, marker) {
        if (!this.peek.isOpen) {
            this.details.open(ev.currentTarget, { points: marker.points, number: marker.number });
        }
    }

    hideDetails() {
        this.details.close();
    }

    async onMarker(ev, marker) {
        const target = ev.currentTarget;
        this.details.close();
        if (marker.number === 1) {
            const [item] = await this.model.peek(marker.points);
            if (item) {
                this.props.open(item);
            }
            return;
        }
        this.peek.open(target, {
            points: marker.points,
            number: marker.number,
            peek: (points) => this.model.peek(points),
            open: (item) => this.props.open(item),
            zoomIn: (points) => this.zoomTo(points),
        });
    }

    zoomTo(points) {
        const start = startOf(points[0].day);
        const end = startOf(points.at(-1).day) + DAY;
        const margin = Math.max((end - start) * 0.1, 2 * DAY);
        this.model.show({ start: start - margin, end: end + margin });
    }

    // ----- WHEEL AND KEYS -----

    onWheel(ev) {
        const sideways = Math.abs(ev.deltaX) > Math.abs(ev.deltaY) ? ev.deltaX : 0;
        if (!ev.ctrlKey && !ev.metaKey && !ev.shiftKey && !sideways) {
            // the page scrolls as everywhere
            return;
        }
        ev.preventDefault();
        this.details.close();
        const box = this.track.el.getBoundingClientRect();
        const rtl = localization.direction === "rtl";
        if (ev.ctrlKey || ev.metaKey) {
            const share = (ev.clientX - box.left) / box.width;
            const factor = ev.deltaY > 0 ? 1.25 : 0.8;
            this.changePeriod(this.model.zoomed(factor, rtl ? 1 - share : share));
        } else {
            const share = (sideways || ev.deltaY || ev.deltaX) / box.width;
            this.changePeriod(this.model.moved(rtl ? -share : share));
        }
    }

    /** Follow the wheel at once, and read the list when it has come to rest. */
    changePeriod(period) {
        this.model.period = period;
        clearTimeout(this.resting);
        this.resting = setTimeout(() => this.model.show(period), 250);
    }

    onKeydown(ev) {
        if (ev.ctrlKey || ev.metaKey || ev.altKey) {
            return;
        }
        const { key } = ev;
        if (key in KEYS) {
            this.model.show(this.model.zoomed(KEYS[key]));
        } else if (key === "Home") {
            this.model.show(null);
        } else if (key === "PageUp" || key === "PageDown") {
            this.model.show(this.model.moved(key === "PageUp" ? -0.5 : 0.5));
        } else if (key.startsWith("Arrow") && this.focusNext(key)) {
            // focused
        } else {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
    }

    focusNext(key) {
        const markers = [...this.root.el.querySelectorAll(".o_lifecycle_marker")];
        const current = markers.indexOf(document.activeElement);
        const rtl = localization.direction === "rtl";
        let target = null;
        if (current < 0) {
            target = markers.at(-1);
        } else if (key === "ArrowLeft" || key === "ArrowRight") {
            target = markers[current + ((key === "ArrowRight") !== rtl ? 1 : -1)];
        } else {
            const rows = [...this.root.el.querySelectorAll(".o_lifecycle_track")].filter((row) =>
                row.querySelector(".o_lifecycle_marker"),
            );
            const row = rows.indexOf(document.activeElement.closest(".o_lifecycle_track"));
            target = nearest(rows[row + (key === "ArrowDown" ? 1 : -1)], document.activeElement);
        }
        target?.focus();
        return Boolean(target);
    }
}

function nearest(row, element) {
    if (!row) {
        return null;
    }
    const here = element.getBoundingClientRect().left;
    const distance = (one) => Math.abs(one.getBoundingClientRect().left - here);
    return [...row.querySelectorAll(".o_lifecycle_marker")].sort(
        (one, other) => distance(one) - distance(other),
    )[0];
}
