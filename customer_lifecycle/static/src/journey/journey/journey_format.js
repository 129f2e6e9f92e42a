import { formatCurrency } from "@web/core/currency";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { formatInteger } from "@web/views/fields/formatters";

const { DateTime, Interval } = luxon;

/** Moment of a touchpoint in the reader's time zone. */
export function momentOf(item) {
    if (item.day) {
        return DateTime.fromISO(item.day);
    }
    return deserializeDateTime(item.key[0].slice(0, 19).replace("T", " "));
}

export function dayOf(item) {
    return momentOf(item).toISODate();
}

export function formatDay(moment) {
    return moment.toLocaleString({ weekday: "short", day: "numeric", month: "short" });
}

export function formatTime(item) {
    return item.day ? "" : momentOf(item).toLocaleString(DateTime.TIME_SIMPLE);
}

export function formatMonth(moment) {
    return moment.toLocaleString({ month: "long", year: "numeric" });
}

export function formatDate(day) {
    return DateTime.fromISO(day).toLocaleString(DateTime.DATE_MED);
}

export function formatPeriod(first, last) {
    if (first === last) {
        return formatDate(first);
    }
    const [start, end] = [DateTime.fromISO(first), DateTime.fromISO(last)];
    return Interval.fromDateTimes(start, end).toLocaleString(DateTime.DATE_MED);
}

export function formatAmount(item) {
    return item.amount ? formatCurrency(item.amount, item.currency_id) : "";
}

export function formatDays(days) {
    if (days < 1) {
        return _t("less than a day");
    }
    if (days === 1) {
        return _t("1 day");
    }
    return days < 60 ? _t("%s days", days) : _t("%s months", Math.round(days / 30.4));
}

export function formatNumber(number) {
    return number === 1 ? _t("1 touchpoint") : _t("%s touchpoints", formatInteger(number));
}
