import { Component, onMounted, useRef } from "@odoo/owl";
import { Domain } from "@web/core/domain";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { ActionHelper } from "@web/views/action_helper";
import { formatPeriod } from "@customer_lifecycle/journey/journey/journey_format";
import { OverviewBridge } from "./overview_bridge";
import { formatCount } from "./overview_format";
import { OverviewHistory } from "./overview_history";
import { OverviewSlipping } from "./overview_slipping";
import { OverviewTiles } from "./overview_tiles";
import { OverviewWork } from "./overview_work";
import { PERIODS } from "./overview_model";

/** How the customers of a company stand: what a manager asks on Monday, on one page. */
export class CustomersOverview extends Component {
    static template = "customer_lifecycle.CustomersOverview";
    static components = {
        ActionHelper,
        OverviewBridge,
        OverviewHistory,
        OverviewSlipping,
        OverviewTiles,
        OverviewWork,
    };
    static props = {
        model: Object,
        noContentHelp: { type: [String, { value: false }], optional: true },
    };

    setup() {
        this.action = useService("action");
        this.root = useRef("root");
        // without it browsers do not know how to hyphenate long names
        this.lang = user.lang;
        this.periods = PERIODS.map((name) => ({ name, label: this.periodLabel(name) }));
        onMounted(() => this.focusAgain());
    }

    get model() {
        return this.props.model;
    }

    get data() {
        return this.model.data;
    }

    periodLabel(name) {
        const labels = { month: _t("This month"), 365: _t("12 months") };
        return labels[name] || _t("%s days", name);
    }

    get sentence() {
        const { company, customers, spans } = this.data;
        return _t("%(period)s: %(count)s customers of %(company)s", {
            company,
            count: formatCount(customers),
            period: formatPeriod(...spans.now),
        });
    }

    get compared() {
        const { before, year } = this.data.spans;
        if (String(before) === String(year)) {
            return _t("beside %s", formatPeriod(...before));
        }
        return _t("beside %(before)s and, a year ago, %(year)s", {
            before: formatPeriod(...before),
            year: formatPeriod(...year),
        });
    }

    get asOf() {
        const moment = this.data.as_of;
        return moment
            ? _t(
                  "All figures computed %s; customers with changed documents within a minute.",
                  deserializeDateTime(moment).toLocaleString(luxon.DateTime.DATETIME_MED),
              )
            : _t("The first computation of all figures has not ended yet.");
    }

    /** What the search bar filters by, in words, for the printed page. */
    get filterText() {
        const facets = this.env.searchModel?.facets || [];
        const words = facets
            .filter((facet) => facet.type !== "groupBy")
            .map(({ title, values }) => {
                const text = values.join(` ${_t("or")} `);
                return title ? `${title}: ${text}` : text;
            });
        return words.join("; ");
    }

    print() {
        window.print();
    }

    /**
     * Open the customers behind a number; back returns to this very number.
     *
     * @param {string} name of the list
     * @param {Array} domain over profiles
     * @param {string} cell of the page
     * @param {{listId: number, archived: boolean}} options ``archived``: also customers whose
     *      contact is archived, as sums of purchases have them
     */
    open(name, domain, cell, { listId = false, archived = false } = {}) {
        this.model.focus = cell;
        this.action.doAction({
            type: "ir.actions.act_window",
            name,
            res_model: "lifecycle.profile",
            views: [
                [listId, "list"],
                [false, "kanban"],
            ],
            context: archived ? { active_test: false } : {},
            domain: Domain.and([this.model.domain, domain]).toList(),
        });
    }

    /** Open purchases of the period, of the customers that the filter finds. */
    openRevenue(cell) {
        this.model.focus = cell;
        const [start, end] = this.data.spans.now;
        const domain = [
            ["date", ">=", start],
            ["date", "<=", end],
        ];
        if (this.model.domain.length) {
            domain.push(["profile_id", "any", this.model.domain]);
        }
        this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("Revenue of %s", formatPeriod(start, end)),
            res_model: "lifecycle.customer.revenue",
            views: [
                [false, "pivot"],
                [false, "graph"],
                [false, "list"],
            ],
            domain,
        });
    }

    openCustomer(partnerId, cell) {
        this.model.focus = cell;
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "res.partner",
            res_id: partnerId,
            views: [[false, "form"]],
        });
    }

    focusAgain() {
        const { focus } = this.model;
        if (focus) {
            this.root.el.querySelector(`[data-cell="${CSS.escape(focus)}"]`)?.focus();
            this.model.focus = null;
        }
    }
}
