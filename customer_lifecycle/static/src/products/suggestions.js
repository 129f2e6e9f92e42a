import { Component, useEffect, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/**
 * What the customer of a quotation may buy next, a button for each: a click adds it.
 *
 * Asked for once the form is there, so that no form opens later because of it.
 */
export class Suggestions extends Component {
    static template = "customer_lifecycle.Suggestions";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ suggestions: [], adding: false });
        useEffect(
            (partner, company, state) => {
                this.load(partner, company, state);
            },
            () => {
                const { partner_id, company_id, state } = this.props.record.data;
                return [partner_id?.id, company_id?.id, state];
            },
        );
    }

    get lines() {
        return this.props.record.data.order_line.records;
    }

    /** Those that are not in the document yet. */
    get suggestions() {
        const there = new Set(this.lines.map((line) => line.data.product_id?.id));
        return this.state.suggestions.filter(({ product_id }) => !there.has(product_id));
    }

    async load(partner, company, state) {
        const asked = (this.asked = {});
        const open = partner && ["draft", "sent"].includes(state);
        const suggestions = open
            ? await this.orm.call("sale.order", "get_lifecycle_suggestions", [
                  partner,
                  company || false,
              ])
            : [];
        if (asked === this.asked) {
            this.state.suggestions = suggestions;
        }
    }

    title({ quantity, product, reason }) {
        return _t("Add %(quantity)s × %(product)s. %(reason)s", { quantity, product, reason });
    }

    async add({ product_id }) {
        const { record } = this.props;
        this.state.adding = true;
        try {
            // the line gets its price on the server, from the document as it stands
            if (await record.save()) {
                await this.orm.call("sale.order", "action_add_lifecycle_suggestion", [
                    [record.resId],
                    product_id,
                ]);
                await record.load();
            }
        } finally {
            this.state.adding = false;
        }
    }
}

registry.category("view_widgets").add("lifecycle_suggestions", {
    component: Suggestions,
    fieldDependencies: [
        { name: "partner_id", type: "many2one" },
        { name: "company_id", type: "many2one" },
        { name: "state", type: "selection" },
    ],
});
