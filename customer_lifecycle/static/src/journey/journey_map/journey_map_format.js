import { formatCurrency } from "@web/core/currency";
import { formatInteger, formatPercentage } from "@web/views/fields/formatters";

export function formatCount(number) {
    return formatInteger(number);
}

export function formatMoney(value, currencyId) {
    return formatCurrency(value, currencyId, { digits: [16, 0] });
}

/** A share in whole per cent; what is hardly anything is not called nothing. */
export function formatShare(part, whole) {
    if (!whole) {
        return "–";
    }
    const share = part / whole;
    if (share > 0 && share < 0.005) {
        return `< ${formatPercentage(0.01, { digits: [16, 0] })}`;
    }
    return formatPercentage(share, { digits: [16, 0] });
}
