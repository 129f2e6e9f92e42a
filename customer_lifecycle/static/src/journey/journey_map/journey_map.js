import { Component, onMounted, useRef } from "@odoo/owl";
import { DateTimeInput } from "@web/core/datetime/datetime_input";
import { Domain } from "@web/core/domain";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { ActionHelper } from "@web/views/action_helper";
import { formatPeriod } from "@customer_lifecycle/journey/journey/journey_format";
import { formatCount } from "./journey_map_format";
import { JourneyMapFlows } from "./journey_map_flows";
import { PERIODS } from "./journey_map_model";
import { JourneyMapPaths } from "./journey_map_paths";
import { JourneyMapStages } from "./journey_map_stages";

/** Where all customers stand and how they got there: a picture to print for a meeting. */
export class JourneyMap extends Component {
    static template = "customer_lifecycle.JourneyMap";
    static components = {
        ActionHelper,
        DateTimeInput,
        JourneyMapFlows,
        JourneyMapPaths,
        JourneyMapStages,
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
        this.formatCount = formatCount;
        this.periods = PERIODS.map((name) => ({ name, label: this.periodLabel(name) }));
        onMounted(() => this.focusAgain());
    }

    get model() {
        return this.props.model;
    }

    get map() {
        return this.model.map;
    }

    periodLabel(name) {
        const labels = {
            this_year: _t("This year"),
            last_year: _t("Last year"),
            dates: _t("Other dates…"),
            365: _t("Last 12 months"),
        };
        return labels[name] || _t("Last %s days", name);
    }

    get title() {
        return this.env.config?.getDisplayName?.() || _t("Journey Map");
    }

    get sentence() {
        const { company, end, start, total } = this.map;
        const values = { count: formatCount(total), company, period: formatPeriod(start, end) };
        return _t("%(count)s customers and prospects of %(company)s, %(period)s", values);
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

    /** Open the customers behind a number; back returns to this very number. */
    open(name, domain, cell) {
        this.model.focus = cell;
        this.action.doAction({
            type: "ir.actions.act_window",
            name,
            res_model: "lifecycle.profile",
            views: [
                [false, "list"],
                [false, "kanban"],
            ],
            domain: Domain.and([this.model.domain, domain]).toList(),
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
