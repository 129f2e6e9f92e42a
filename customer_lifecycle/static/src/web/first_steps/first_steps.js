import { Component, onWillStart, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { formatCurrency } from "@web/core/currency";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const INTERVAL = 5000;

/** The way from an empty database to figures one trusts; gone when it has been walked. */
export class FirstSteps extends Component {
    static template = "customer_lifecycle.FirstSteps";
    static props = { onComputed: { type: Function, optional: true } };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ steps: false });
        onWillStart(() => this.load());
        onWillUnmount(() => browser.clearTimeout(this.timeout));
    }

    async load() {
        this.state.steps = await this.orm.silent.call("lifecycle.first.steps", "get_state", []);
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

    get salesText() {
        const { customers, computing } = this.steps;
        if (customers) {
            return _t("%s customers with purchases found.", customers);
        }
        return computing
            ? _t("Your sales are being added up; this takes a moment.")
            : _t("There are no purchases yet. Any of these brings the first figures:");
    }

    get sample() {
        return this.steps.sample.map((profile) => ({
            id: profile.id,
            name: profile.partner_id[1],
            value: formatCurrency(profile.clv_historical, this.steps.currency_id),
        }));
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

    async finish() {
        await this.orm.call("lifecycle.first.steps", "finish", []);
        this.state.steps = false;
    }
}
