import { Component, useState } from "@odoo/owl";
import { formatCurrency } from "@web/core/currency";
import { deserializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { formatFloat, formatPercentage } from "@web/views/fields/formatters";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { CustomerChips } from "@customer_lifecycle/profile/customer_chips/customer_chips";
import { HelpTip } from "@customer_lifecycle/tools/help_tip/help_tip";
import { YearChart } from "@customer_lifecycle/tools/year_chart/year_chart";

const { DateTime, Interval } = luxon;

/** What a contact is worth, in plain words: loaded by one call when its tab is opened. */
export class LifecycleOverview extends Component {
    static template = "customer_lifecycle.Overview";
    static components = { CustomerChips, HelpTip, YearChart };
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keepLast = new KeepLast();
        this.state = useState({ status: "loading", data: null });
        // not awaited: the form must not wait for the figures
        useRecordObserver(({ data, dirty, resId }) => {
            // told anew where the dialog about the stage has changed it
            this.stage = [data.lifecycle_stage_id?.id, data.lifecycle_stage_hold_until];
            if (!dirty) {
                this.load(resId);
            }
        });
    }

    async load(resId = this.props.record.resId) {
        if (!resId) {
            const message = _t("Save the contact first; its figures appear here afterwards.");
            Object.assign(this.state, { status: "ready", data: { kind: "none", message } });
            return;
        }
        if (this.state.data?.resId !== resId) {
            this.state.status = "loading";
        }
        try {
            const data = await this.keepLast.add(
                this.orm.silent.call("lifecycle.profile", "get_partner_overview", [resId]),
            );
            Object.assign(this.state, { status: "ready", data: { ...data, resId } });
        } catch (error) {
            Object.assign(this.state, {
                status: "error",
                data: { message: error.data?.message || error.message },
            });
        }
    }

    async openPurchases() {
        this.action.doAction(
            await this.orm.call("lifecycle.profile", "action_view_purchases", [
                [this.state.data.profile_id],
            ]),
        );
    }

    // ----- WORDS -----

    get data() {
        return this.state.data;
    }

    /** Whether the form says the sentence at its top already. */
    get saidAbove() {
        return Boolean(this.data.chips?.some((chip) => chip.name === "stage"));
    }

    get messageIcon() {
        const icons = { excluded: "fa-ban", hidden: "fa-lock", waiting: "fa-hourglass-half" };
        return icons[this.data.kind] || "fa-shopping-basket";
    }

    get chartTitle() {
        return this.data.value_is === "revenue" ? _t("Revenue by year") : _t("Margin by year");
    }

    aboutText(tile) {
        return _t("What does “%s” mean?", tile.label);
    }

    get tiles() {
        const tiles = [this.earnedTile, this.expectedTile, this.rhythmTile, this.nextOrderTile];
        return [...tiles, this.chanceTile, this.aliveTile].filter(Boolean);
    }

    get earnedTile() {
        const { clv_historical, value_is } = this.data;
        return {
            name: "earned",
            label: _t("Earned so far"),
            value: this.money(clv_historical, true),
            detail: this.ordersText(),
            help:
                value_is === "revenue"
                    ? _t(
                          "Historical lifetime value: everything bought until today, untaxed, less credit notes, in company currency. Orders of one day count as one.",
                      )
                    : _t(
                          "Historical lifetime value: the margin on everything bought until today, untaxed, less credit notes, in company currency. Orders of one day count as one.",
                      ),
        };
    }

    ordersText() {
        const { average_order_value, first_order_date, order_count } = this.data;
        if (!order_count) {
            return _t("refunds only");
        }
        const date = this.day(first_order_date, true);
        if (order_count === 1) {
            return _t("1 order, on %s", date);
        }
        return _t("%(count)s orders since %(date)s, %(average)s on average", {
            count: order_count,
            date,
            average: this.money(average_order_value),
        });
    }

    get expectedTile() {
        const { prediction, expected_label } = this.data;
        if (!prediction) {
            return { name: "expected", label: expected_label, value: "–", detail: false };
        }
        return {
            name: "expected",
            label: expected_label,
            value: this.money(prediction.clv_predicted),
            detail: this.rangeText(prediction),
            help: _t(
                "Predicted lifetime value: the orders to be expected times what one is usually worth, discounted. In 8 of 10 such customers the true value ends up within the range.",
            ),
        };
    }

    rangeText({ low, high }) {
        if (high === false) {
            return false;
        }
        if (!high) {
            return _t("most likely nothing");
        }
        if (!low) {
            return _t("likely up to %s", this.money(high));
        }
        return _t("likely %(low)s – %(high)s", { low: this.money(low), high: this.money(high) });
    }

    get rhythmTile() {
        const { order_count, order_interval, days_since_last_order } = this.data;
        const last = this.sinceText(days_since_last_order);
        if (order_count < 2 || !order_interval) {
            return { name: "rhythm", label: _t("Last order"), value: last };
        }
        const days = Math.max(1, Math.round(order_interval));
        return {
            name: "rhythm",
            label: _t("Usually orders"),
            value: days === 1 ? _t("every day") : _t("every %s days", days),
            detail: _t("last order: %s", last),
            help: _t("The mean number of days between two orders of this customer."),
        };
    }

    sinceText(days) {
        if (days === false || days === null) {
            return "–";
        }
        if (days === 0) {
            return _t("today");
        }
        return days === 1 ? _t("yesterday") : _t("%s days ago", days);
    }

    get nextOrderTile() {
        const { prediction } = this.data;
        if (!prediction) {
            return null;
        }
        if (!prediction.next_order_date) {
            return {
                name: "next",
                label: _t("Next order"),
                value: _t("no regular rhythm"),
                help: _t(
                    "A date is shown from three orders on, where the time between them is regular enough to name one.",
                ),
            };
        }
        const { next_order_date, next_order_from, next_order_to, overdue, due } = prediction;
        // its middle may have passed
        const ahead = due
            ? _t("due by %s", this.day(next_order_to))
            : _t("around %s", this.day(next_order_date));
        return {
            name: "next",
            label: _t("Next order"),
            value: overdue ? _t("overdue since %s", this.day(next_order_to)) : ahead,
            detail: overdue
                ? _t("was expected %s", this.period(next_order_from, next_order_to))
                : this.period(next_order_from, next_order_to),
            alarm: overdue,
            help: _t(
                "From this customer's rhythm: of the orders that were awaited in earlier periods, half came within such dates, as many before as after.",
            ),
        };
    }

    get chanceTile() {
        const { prediction } = this.data;
        return (
            prediction && {
                name: "chance",
                label: _t("Will order within 30 days"),
                value: this.chance(prediction.p_order_30),
                detail: _t("%(chance)s within %(days)s days, %(orders)s orders to be expected", {
                    chance: this.chance(prediction.p_order),
                    days: this.data.horizon,
                    orders: formatFloat(prediction.expected_orders, { digits: [16, 1] }),
                }),
                help: _t(
                    "P(order): the probability of at least one order within 30 days, and within the whole period that predictions look ahead.",
                ),
            }
        );
    }

    get aliveTile() {
        const alive = this.data.prediction?.p_alive;
        return (
            alive !== undefined && {
                name: "alive",
                label: _t("Still a customer"),
                value: this.chance(alive),
                detail: _t("for sales administrators only"),
                help: _t(
                    "P(alive): the probability that this customer has not left for good, by the model of your company's purchase history. Nobody says goodbye; this is inferred from the silence.",
                ),
            }
        );
    }

    // ----- FORMATS -----

    money(value, exact = false) {
        const options = exact || Math.abs(value) < 100 ? {} : { digits: [16, 0] };
        return formatCurrency(value, this.data.currency_id, options);
    }

    chance(probability) {
        if (probability >= 0.995) {
            return _t("over 99%");
        }
        return probability < 0.005
            ? _t("under 1%")
            : formatPercentage(probability, { digits: [16, 0] });
    }

    dayFormat(dates, withYear = false) {
        const year = DateTime.now().year;
        const other = withYear || dates.some((date) => date.year !== year);
        return { day: "numeric", month: "long", ...(other && { year: "numeric" }) };
    }

    day(value, withYear = false) {
        const date = deserializeDate(value);
        return date.toLocaleString(this.dayFormat([date], withYear));
    }

    period(from, to) {
        const dates = [deserializeDate(from), deserializeDate(to)];
        return Interval.fromDateTimes(...dates).toLocaleString(this.dayFormat(dates));
    }
}

export const lifecycleOverview = { component: LifecycleOverview };

registry.category("view_widgets").add("lifecycle_overview", lifecycleOverview);
