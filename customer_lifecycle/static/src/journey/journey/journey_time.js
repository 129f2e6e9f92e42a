/** Positions on the axis of time: pure functions over milliseconds, for band and swim lanes. */

const { DateTime } = luxon;

export const DAY = 24 * 60 * 60 * 1000;
/** nobody wants to look at less than a week, or at more than there is */
const SHORTEST = 7 * DAY;
const STEPS = [
    { unit: "day", step: 1 },
    { unit: "week", step: 1 },
    { unit: "month", step: 1 },
    { unit: "month", step: 3 },
    { unit: "year", step: 1 },
    { unit: "year", step: 5 },
];
const LENGTHS = { day: DAY, week: 7 * DAY, month: 30.4 * DAY, year: 365.25 * DAY };

/**
 * @param {string} day "2026-03-29", a day in the reader's time zone
 * @returns {number} its noon
 */
export function noonOf(day) {
    return DateTime.fromISO(day).set({ hour: 12 }).toMillis();
}

export function startOf(day) {
    return DateTime.fromISO(day).startOf("day").toMillis();
}

export function isoDay(time) {
    return DateTime.fromMillis(time).toISODate();
}

/** Share of the period (0 at its start, 1 at its end) at which a moment lies. */
export function shareOf(period, time) {
    return (time - period.start) / (period.end - period.start);
}

/** The period enlarged (factor > 1) or narrowed around a share of it, within the whole. */
export function zoom(period, whole, factor, around = 0.5) {
    const length = period.end - period.start;
    const wanted = Math.max(SHORTEST, Math.min(length * factor, whole.end - whole.start));
    return within({ start: period.start + (length - wanted) * around, length: wanted }, whole);
}

/** The period moved by a share of its length, within the whole. */
export function move(period, whole, share) {
    const length = period.end - period.start;
    return within({ start: period.start + length * share, length }, whole);
}

function within({ start, length }, whole) {
    const last = Math.max(whole.start, whole.end - length);
    const first = Math.min(Math.max(start, whole.start), last);
    return { start: first, end: first + length };
}

export function isWhole(period, whole) {
    return period.end - period.start >= (whole.end - whole.start) * 0.999;
}

/**
 * Marks on the axis that do not crowd.
 *
 * @param {{start: number, end: number}} period
 * @param {number} width in pixels
 * @returns {{time: number, share: number, label: string}[]}
 */
export function ticks(period, width) {
    const wanted = Math.max(2, width / 90);
    const span = period.end - period.start;
    const { unit, step } =
        STEPS.find((one) => span / (LENGTHS[one.unit] * one.step) <= wanted) || STEPS.at(-1);
    let moment = DateTime.fromMillis(period.start).startOf(unit);
    if (unit === "month") {
        moment = moment.set({ month: moment.month - ((moment.month - 1) % step) });
    } else if (unit === "year") {
        moment = moment.set({ year: moment.year - (moment.year % step) });
    }
    const found = [];
    for (; moment.toMillis() < period.end; moment = moment.plus({ [unit]: step })) {
        if (moment.toMillis() >= period.start) {
            const share = shareOf(period, moment.toMillis());
            found.push({ time: moment.toMillis(), share, label: tickLabel(moment, unit) });
        }
    }
    return found;
}

function tickLabel(moment, unit) {
    if (unit === "year") {
        return moment.toLocaleString({ year: "numeric" });
    }
    if (unit === "month") {
        return moment.month === 1
            ? moment.toLocaleString({ year: "numeric" })
            : moment.toLocaleString({ month: "short" });
    }
    return moment.toLocaleString({ day: "numeric", month: "short" });
}

/**
 * Group the touchpoints of one lane where their markers would overlap.
 *
 * @param {{time: number, number: number}[]} points sorted by time
 * @param {{start: number, end: number}} period
 * @param {number} width in pixels
 * @param {number} gap smallest distance of two markers in pixels
 * @returns {{share: number, number: number, points: object[]}[]}
 */
export function cluster(points, period, width, gap = 30) {
    const groups = [];
    for (const point of points) {
        if (point.time < period.start || point.time > period.end) {
            continue;
        }
        const x = shareOf(period, point.time) * width;
        const group = groups.at(-1);
        if (!group || x - middle(group) >= gap) {
            groups.push({ first: x, last: x, number: point.number, points: [point] });
            continue;
        }
        // most of very many touchpoints join the group that is there
        group.last = x;
        group.number += point.number;
        group.points.push(point);
    }
    return groups.map((group) => ({
        share: middle(group) / width,
        number: group.number,
        points: group.points,
    }));
}

function middle({ first, last }) {
    return (first + last) / 2;
}
