import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { SelectCreateDialog } from "@web/views/view_dialogs/select_create_dialog";
import { formatDate } from "@customer_lifecycle/journey/journey/journey_format";
import { formatCount, formatMoney } from "./overview_format";

/** The customers at risk with most money at risk, and what to do about them at once. */
export class OverviewSlipping extends Component {
    static template = "customer_lifecycle.CustomersOverviewSlipping";
    static props = { model: Object, data: Object, open: Function, openCustomer: Function };

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.orm = useService("orm");
        this.formatDate = formatDate;
    }

    get customers() {
        return this.props.data.slipping;
    }

    get total() {
        const { risk } = this.props.data;
        return _t("All %(count)s: %(money)s at risk", {
            count: formatCount(risk.now),
            money: this.money(risk.money),
        });
    }

    labels({ name }) {
        return {
            assign: _t("Assign %s", name),
            call: _t("Call %s", name),
            nobody: _t("No salesperson"),
        };
    }

    money(value) {
        return formatMoney(value, this.props.data.currency_id);
    }

    openAll() {
        const { risk_domain, risk_list } = this.props.data;
        const domain = [...this.props.model.company, ...risk_domain];
        this.props.open(_t("Customers at Risk"), domain, "slipping", { listId: risk_list });
    }

    /** The dialog with what one needs for a call; what came of it is read again. */
    async call(customer) {
        const action = await this.orm.call("lifecycle.profile", "action_contact_call", [
            [customer.id],
        ]);
        await this.action.doAction(action, { onClose: () => this.props.model.reload() });
    }

    /** Give the customer to a salesperson, with the reader's own right to write the contact. */
    assign(customer) {
        this.dialog.add(SelectCreateDialog, {
            resModel: "res.users",
            title: _t("Salesperson of %s", customer.name),
            multiSelect: false,
            noCreate: true,
            domain: [["share", "=", false]],
            onSelected: async ([userId]) => {
                await this.orm.write("res.partner", [customer.partner_id], { user_id: userId });
                this.notification.add(_t("%s has a new salesperson.", customer.name), {
                    type: "success",
                });
                await this.props.model.reload();
            },
        });
    }
}
