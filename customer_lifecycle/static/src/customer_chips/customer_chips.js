import { Component, markup, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";

/** What is known about a customer, a chip for each thing; a click tells why. */
export class CustomerChips extends Component {
    static template = "customer_lifecycle.CustomerChips";
    static props = { chips: Array };

    setup() {
        this.state = useState({ open: null });
    }

    get open() {
        return this.props.chips.find((chip) => chip.name === this.state.open);
    }

    get playbook() {
        // written by sales managers in a field that Odoo cleans when it is saved
        return this.open.html && markup(this.open.html);
    }

    explains(chip) {
        return chip.why.length || chip.html;
    }

    title(chip) {
        return this.explains(chip) ? _t("Why %s?", chip.value) : chip.label;
    }

    toggle(chip) {
        this.state.open = this.state.open === chip.name ? null : chip.name;
    }
}
