import { Component, onMounted, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { registry } from "@web/core/registry";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { Journey } from "./journey";
import { formatAmount, formatDate } from "./journey_format";

/** The journey in the tab of a contact: nothing is read before the tab is opened. */
export class JourneyWidget extends Component {
    static template = "customer_lifecycle.JourneyWidget";
    static components = { Journey };
    static props = { ...standardWidgetProps };

    get partnerId() {
        return this.props.record.resId;
    }
}

registry.category("view_widgets").add("lifecycle_journey", { component: JourneyWidget });

/** The journey on a screen of its own, for whatever customer an opportunity or order is about. */
export class JourneyAction extends Component {
    static template = "customer_lifecycle.JourneyAction";
    static components = { Journey, Layout, RecordSelector };
    static props = { ...standardActionServiceProps };
    static displayName = _t("Journey");
    /** the address; what follows it is passed on as parameters */
    static path = "journey";

    setup() {
        const { context = {}, params = {} } = this.props.action;
        const onContact = context.active_model === "res.partner" && context.active_id;
        const partnerId = context.lifecycle_partner_id || Number(params.customer) || onContact;
        this.state = useState({ partnerId: partnerId || false });
        this.display = { controlPanel: {} };
        onMounted(() => this.tellAddress());
    }

    choose(partnerId) {
        this.state.partnerId = partnerId;
        this.tellAddress();
    }

    /** The address names the customer, so that it may be kept, sent and reloaded. */
    tellAddress() {
        if (this.state.partnerId) {
            this.props.updateActionState?.({ customer: this.state.partnerId });
        }
    }

    onLoaded({ customer }) {
        this.env.config.setDisplayName(_t("Journey of %s", customer.name));
    }
}

registry.category("actions").add("customer_lifecycle.journey", JourneyAction);

/** The latest touchpoints that a source finds, for whoever sets it up. */
export class LatestTouchpoints extends Component {
    static template = "customer_lifecycle.LatestTouchpoints";
    static props = { ...standardActionServiceProps };

    setup() {
        const { items, source } = this.props.action.params;
        Object.assign(this, { items, source, formatAmount });
    }

    day(item) {
        return formatDate(item.day || item.key[0].slice(0, 10));
    }
}

registry.category("actions").add("customer_lifecycle.latest_touchpoints", LatestTouchpoints);
