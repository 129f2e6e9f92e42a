import { Component, onWillStart, onWillUpdateProps, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { JourneyBand } from "./journey_band";
import { JourneyFilters } from "./journey_filters";
import { formatDays, formatPeriod } from "./journey_format";
import { JourneyLanes } from "./journey_lanes";
import { JourneyList } from "./journey_list";
import { JourneyModel } from "./journey_model";

/** Every touchpoint of a customer on one timeline. */
export class Journey extends Component {
    static template = "customer_lifecycle.Journey";
    static components = { JourneyBand, JourneyFilters, JourneyLanes, JourneyList };
    static props = {
        partnerId: Number,
        onLoaded: { type: Function, optional: true },
    };

    setup() {
        this.action = useService("action");
        this.ui = useService("ui");
        this.model = useState(new JourneyModel(useService("orm")));
        onWillStart(() => {
            // not awaited: the form must not wait for the journey
            this.load(this.props.partnerId);
        });
        onWillUpdateProps(({ partnerId }) => {
            if (partnerId !== this.props.partnerId) {
                this.load(partnerId);
            }
        });
    }

    async load(partnerId = this.props.partnerId) {
        await this.model.load(partnerId);
        if (this.model.data) {
            this.props.onLoaded?.(this.model.data);
        }
    }

    open(item) {
        if (!item.res_id) {
            return;
        }
        this.model.leaveAt(item.key);
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: item.model,
            res_id: item.res_id,
            views: [[false, "form"]],
        });
    }

    openSource(warning) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "lifecycle.touchpoint.source",
            res_id: warning.source_id,
            views: [[false, "form"]],
        });
    }

    get isEmpty() {
        const { total, isFiltered, items } = this.model;
        return !items.length && !total && !isFiltered;
    }

    get isOverdue() {
        const { forecast, today } = this.model.data;
        return Boolean(forecast && forecast.to < today);
    }

    /** Stage, how long, and what is due, in one sentence. */
    get sentence() {
        const { bands, forecast } = this.model.data;
        const current = bands.find((band) => band.current);
        const parts = [];
        if (current) {
            const values = { stage: current.stage, days: formatDays(current.days) };
            parts.push(
                current.usual
                    ? _t("%(stage)s for %(days)s (%(usual)s).", { ...values, usual: current.usual })
                    : _t("%(stage)s for %(days)s.", values),
            );
        }
        if (forecast) {
            const period = formatPeriod(forecast.from, forecast.to);
            parts.push(
                this.isOverdue
                    ? _t("An order was expected %s: get in touch.", period)
                    : _t("Next order expected %s.", period),
            );
        }
        return parts.join(" ");
    }
}
