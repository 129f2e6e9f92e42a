import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { formatDate } from "@customer_lifecycle/journey/journey/journey_format";
import { formatCount, formatMoney } from "./overview_format";

/** What colleagues and workflows have done, who rises and drops, and what does not work. */
export class OverviewWork extends Component {
    static template = "customer_lifecycle.CustomersOverviewWork";
    static props = {
        model: Object,
        data: Object,
        part: Object,
        economics: Object,
        open: Function,
        openCustomer: Function,
    };

    setup() {
        this.action = useService("action");
        this.formatCount = formatCount;
        this.formatDate = formatDate;
    }

    get work() {
        return this.props.part.data;
    }

    get economics() {
        return this.props.economics.data;
    }

    money(value) {
        return formatMoney(value, this.props.data.currency_id);
    }

    // ----- TEAM -----

    openCards(line) {
        this.props.open(
            _t("To Contact: %s", line.name),
            [
                ...this.props.model.company,
                ["to_contact", "=", true],
                ["user_id", "=", line.user_id],
            ],
            `cards_${line.user_id}`,
            { listId: this.props.data.risk_list },
        );
    }

    openOutcomes(line, ordered) {
        const { now } = this.props.data.spans;
        this.props.model.focus = `${ordered ? "ordered" : "contacted"}_${line.user_id}`;
        const domain = [
            ["company_id", "=", this.props.data.company_id],
            ["date", ">=", now[0]],
            ["date", "<=", now[1]],
            ["kind", "in", ["reached", "missed", "quote"]],
            ["user_id", "=", line.user_id],
        ];
        if (ordered) {
            domain.push(["ordered_since", "=", true]);
        }
        this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("Contacts of %s", line.name),
            res_model: "lifecycle.contact.outcome",
            views: [[false, "list"]],
            domain,
        });
    }

    // ----- VIP -----

    openMoved(kind) {
        const [start, end] = this.props.data.spans.now;
        const name = kind === "risen" ? _t("Risen to a Higher Tier") : _t("Fallen From a Tier");
        this.props.open(name, this.props.model.moved(kind, start, end), kind);
    }

    openDropping() {
        this.props.open(
            _t("About to Lose the Tier"),
            [
                ...this.props.model.company,
                ["vip_tier_id", "!=", false],
                ["vip_review_date", ">=", this.props.data.spans.now[1]],
            ],
            "dropping",
        );
    }

    // ----- WORKFLOWS AND HEALTH -----

    openWorkflow(line) {
        this.props.model.focus = `workflow_${line.id}`;
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "lifecycle.workflow",
            res_id: line.id,
            views: [[false, "form"]],
        });
    }

    openProposals({ model, label }) {
        this.action.doAction({
            type: "ir.actions.act_window",
            name: label,
            res_model: model,
            views: [
                [false, "list"],
                [false, "form"],
            ],
            domain: [["proposal_of_id", "!=", false]],
            context: { active_test: false },
        });
    }

    openAction(name) {
        this.action.doAction(`customer_lifecycle.${name}`);
    }

    toneOf(tone) {
        return { success: "text-success", danger: "text-danger" }[tone] || "text-muted";
    }
}
