import { Component, useState } from "@odoo/owl";
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

    setup() {
        const { context } = this.props.action;
        const given = context?.lifecycle_partner_id;
        const onContact = context?.active_model === "res.partner" && context.active_id;
        this.state = useState({ partnerId: this.props.resId || given || onContact || false });
        this.display = { controlPanel: {} };
        this.choose(this.state.partnerId);
    }

    choose(partnerId) {
        this.state.partnerId = partnerId;
        if (partnerId) {
            // the address names the customer: it may be kept, sent and reloaded
            this.props.updateActionState?.({ resId: partnerId });
        }
    }

    onLoaded({ customer }) {
        this.env.config.setDisplayName(customer.name);
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
