import { formatCurrency } from "@web/core/currency";
import { _t } from "@web/core/l10n/translation";
import { formatInteger, formatPercentage } from "@web/views/fields/formatters";

const { DateTime } = luxon;

export function formatCount(number) {
    return formatInteger(number);
}

/** Money without cents; a minus is a minus, not a hyphen. */
export function formatMoney(value, currencyId) {
    return formatCurrency(value, currencyId, { digits: [16, 0] });
}

/** Money to the cent. */
export function formatExact(value, currencyId) {
    return formatCurrency(value, currencyId);
}

/** Money with its sign, for what was added or taken away. */
export function formatSigned(value, currencyId, format = formatMoney) {
    const text = format(Math.abs(value), currencyId);
    return value < 0 ? `−${text}` : value > 0 ? `+${text}` : text;
}

export function formatShare(part, whole) {
    return whole ? formatPercentage(part / whole, { digits: [16, 0] }) : "–";
}

export function formatMonth(day) {
    return DateTime.fromISO(day).toLocaleString({ month: "short", year: "2-digit" });
}

export function lastDayOfMonth(day) {
    return DateTime.fromISO(day).endOf("month").toISODate();
}

/**
 * How a number has changed: an arrow and per cent, and whether that is good.
 *
 * @param {number} now
 * @param {number} then
 * @param {number} polarity 1: more is better, -1: less is better, 0: neither
 * @returns {{mark: string, spoken: string, tone: string}}
 */
export function changeOf(now, then, polarity = 1) {
    if (now === then) {
        return { mark: _t("unchanged"), spoken: _t("unchanged"), tone: "muted" };
    }
    const up = now > then;
    const tone = !polarity ? "muted" : up === polarity > 0 ? "success" : "danger";
    const arrow = up ? "↑" : "↓";
    if (then <= 0) {
        // nothing to be a per cent of
        const spoken = up ? _t("more than nothing") : _t("less");
        return { mark: arrow, spoken, tone };
    }
    const share = Math.abs(now - then) / then;
    const digits = share < 0.0995 ? 1 : 0;
    const text = formatPercentage(share, { digits: [16, digits] });
    const spoken = up ? _t("up %s", text) : _t("down %s", text);
    return { mark: `${arrow} ${text}`, spoken, tone };
}
