import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { stageClass } from "@customer_lifecycle/tools/stage_color/stage_color";
import { formatDate, formatDays, formatPeriod } from "./journey_format";
import { DAY, shareOf, startOf } from "./journey_time";

/** The customer's life: stages with their durations, today, and the forecast beyond. */
export class JourneyBand extends Component {
    static template = "customer_lifecycle.JourneyBand";
    static props = { bands: Array, forecast: [Object, Boolean], period: Object, today: String };

    get pieces() {
        return this.props.bands
            .map((band, index) => {
                const until = band.current ? startOf(this.props.today) + DAY : startOf(band.end);
                return this.piece(band.stage, startOf(band.start), until, {
                    id: index,
                    className: stageClass(band.color),
                    duration: this.durationText(band),
                    text: this.bandText(band),
                });
            })
            .filter(Boolean);
    }

    get forecastPiece() {
        const { forecast } = this.props;
        return (
            forecast &&
            this.piece(_t("Next order"), startOf(forecast.from), startOf(forecast.to) + DAY, {
                text:
                    forecast.to < this.props.today
                        ? _t("An order was expected %s", formatPeriod(forecast.from, forecast.to))
                        : _t("Next order expected %s", formatPeriod(forecast.from, forecast.to)),
            })
        );
    }

    get todayShare() {
        const share = shareOf(this.props.period, startOf(this.props.today) + DAY / 2);
        return share >= 0 && share <= 1 ? share : null;
    }

    piece(label, start, end, more) {
        const from = Math.max(0, shareOf(this.props.period, start));
        const to = Math.min(1, shareOf(this.props.period, end));
        if (to <= 0 || from >= 1 || to <= from) {
            return null;
        }
        const style = `inset-inline-start: ${from * 100}%; inline-size: ${(to - from) * 100}%`;
        return { label, style, ...more };
    }

    /** In days where the usual days stand beside, to be compared. */
    durationText(band) {
        return band.usual && band.days > 1
            ? _t("%(days)s days (%(usual)s)", { days: band.days, usual: band.usual })
            : formatDays(band.days);
    }

    bandText(band) {
        const parts = [
            band.current
                ? _t("%(stage)s since %(date)s, for %(days)s", {
                      stage: band.stage,
                      date: formatDate(band.start),
                      days: formatDays(band.days),
                  })
                : _t("%(stage)s for %(days)s, %(period)s", {
                      stage: band.stage,
                      days: formatDays(band.days),
                      period: formatPeriod(band.start, band.end),
                  }),
            band.usual && `(${band.usual})`,
            band.why && `– ${band.why}`,
        ];
        return parts.filter(Boolean).join(" ");
    }
}
