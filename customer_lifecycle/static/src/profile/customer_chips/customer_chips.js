import { Component, markup, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

/** What is known about a customer, a chip for each thing; a click tells why. */
export class CustomerChips extends Component {
    static template = "customer_lifecycle.CustomerChips";
    static props = { chips: Array, reload: { type: Function, optional: true } };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
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
        return chip.why.length || chip.html || chip.actions;
    }

    title(chip) {
        return chip.why.length || chip.html ? _t("Why %s?", chip.value) : chip.label;
    }

    toggle(chip) {
        this.state.open = this.state.open === chip.name ? null : chip.name;
    }

    act(action) {
        if (!action.confirm) {
            return this.call(action);
        }
        this.dialog.add(ConfirmationDialog, {
            body: action.confirm,
            confirmLabel: action.label,
            confirm: () => this.call(action),
            cancel: () => {},
        });
    }

    async call({ model, method, ids }) {
        const reload = () => this.props.reload?.();
        const next = await this.orm.call(model, method, [ids]);
        if (next) {
            await this.action.doAction(next, { onClose: reload });
        } else {
            await reload();
        }
    }
}
