import { Component, onWillStart, useState } from "@odoo/owl";
import { formatAmount, formatDate, formatNumber, formatPeriod } from "./journey_format";

/** What a marker stands for, shown on hover and focus. */
export class JourneyDetails extends Component {
    static template = "customer_lifecycle.JourneyDetails";
    static props = { points: Array, number: Number, close: { type: Function, optional: true } };

    get when() {
        const days = this.props.points.map((point) => point.day);
        return formatPeriod(days[0], days.at(-1));
    }

    get what() {
        const numbers = new Map();
        for (const { source, number } of this.props.points) {
            numbers.set(source, (numbers.get(source) || 0) + number);
        }
        return [...numbers]
            .sort((one, other) => other[1] - one[1])
            .map(([source, number]) => ({ source, number }));
    }

    get heading() {
        return formatNumber(this.props.number);
    }
}

/** The touchpoints behind a number, each to be opened. */
export class JourneyPeek extends Component {
    static template = "customer_lifecycle.JourneyPeek";
    static props = {
        points: Array,
        number: Number,
        peek: Function,
        open: Function,
        zoomIn: Function,
        close: { type: Function, optional: true },
    };

    setup() {
        this.state = useState({ items: null });
        onWillStart(() => {
            // not awaited: the frame opens at once
            this.load();
        });
        this.formatAmount = formatAmount;
    }

    async load() {
        this.state.items = await this.props.peek(this.props.points);
    }

    get heading() {
        const days = this.props.points.map((point) => point.day);
        return `${formatNumber(this.props.number)}, ${formatPeriod(days[0], days.at(-1))}`;
    }

    get canZoom() {
        return new Set(this.props.points.map((point) => point.day)).size > 1;
    }

    day(item) {
        return formatDate(item.day || item.key[0].slice(0, 10));
    }

    zoomIn() {
        this.props.close?.();
        this.props.zoomIn(this.props.points);
    }

    open(item) {
        this.props.close?.();
        this.props.open(item);
    }
}
