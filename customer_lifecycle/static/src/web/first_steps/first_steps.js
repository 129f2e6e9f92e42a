import { Component, onWillStart, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { formatCurrency } from "@web/core/currency";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const INTERVAL = 5000;

/**
 * The way from an empty database to figures one trusts, and on to working with them.
 *
 * Until the figures are confirmed it stands open; then it takes one line, which opens on demand.
 */
export class FirstSteps extends Component {
    static template = "customer_lifecycle.FirstSteps";
    static props = {
        asked: { type: Boolean, optional: true },
        onComputed: { type: Function, optional: true },
    };
    static defaultProps = { asked: false };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ steps: false, open: this.props.asked });
        onWillStart(() => this.load());
        onWillUnmount(() => browser.clearTimeout(this.timeout));
    }

    async load() {
        this.state.steps = await this.orm.silent.call("lifecycle.first.steps", "get_state", [
            this.props.asked,
        ]);
        if (this.steps?.computing) {
            this.timeout = browser.setTimeout(() => this.poll(), INTERVAL);
        }
    }

    async poll() {
        const before = this.steps.customers;
        try {
            await this.load();
        } catch (error) {
            console.warn(error);
            return;
        }
        if (this.steps && this.steps.customers !== before) {
            this.props.onComputed?.();
        }
    }

    get steps() {
        return this.state.steps;
    }

    get isOpen() {
        return this.state.open || !this.steps.confirmed;
    }

    /** What comes after the figures, or all of it once they are confirmed. */
    get list() {
        const { confirmed, steps } = this.steps;
        return confirmed ? steps : steps.filter(({ id }) => !["sales", "figures"].includes(id));
    }

    get next() {
        return this.steps.steps.find((step) => !step.done);
    }

    get progress() {
        const { steps } = this.steps;
        return _t("%(done)s of %(all)s done", {
            done: steps.filter((step) => step.done).length,
            all: steps.length,
        });
    }

    get salesText() {
        const { customers, computing } = this.steps;
        if (customers) {
            return _t("%s customers with purchases found.", customers);
        }
        return computing
            ? _t("Your sales are being added up; this takes a moment.")
            : _t("There are no purchases yet. Any of these brings the first figures:");
    }

    valueOf(profile) {
        return formatCurrency(profile.clv_historical, this.steps.currency_id);
    }

    openQuotations() {
        this.action.doAction("sale.action_quotations_with_onboarding");
    }

    importHistory() {
        this.action.doAction({
            type: "ir.actions.client",
            tag: "import",
            name: _t("Import Purchase History"),
            params: { active_model: "lifecycle.external.purchase", context: {} },
        });
    }

    openSetAside() {
        this.action.doAction("customer_lifecycle.lifecycle_set_aside_action");
    }

    openSources() {
        this.action.doAction("customer_lifecycle.lifecycle_revenue_source_action");
    }

    async openPurchases(id) {
        this.action.doAction(
            await this.orm.call("lifecycle.profile", "action_view_purchases", [[id]]),
        );
    }

    openStep(step) {
        this.action.doAction(step.action);
    }

    async change(method, ...args) {
        await this.orm.call("lifecycle.first.steps", method, args);
        await this.load();
    }
}
