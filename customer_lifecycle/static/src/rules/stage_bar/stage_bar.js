import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { StatusBarField, statusBarField } from "@web/views/fields/statusbar/statusbar_field";

/** The bar of stages: a click asks for reason and duration before a customer moves. */
export class StageBarField extends StatusBarField {
    setup() {
        super.setup();
        this.action = useService("action");
        this.orm = useService("orm");
    }

    /** @override */
    async selectItem(item) {
        const { record } = this.props;
        if (!(await record.save())) {
            return;
        }
        const dialog = await this.orm.call("res.partner", "action_set_lifecycle_stage", [
            [record.resId],
            item.value,
        ]);
        await this.action.doAction(dialog, { onClose: () => record.load() });
    }
}

registry.category("fields").add("lifecycle_stage_bar", {
    ...statusBarField,
    component: StageBarField,
    // looks like the bar that it is
    additionalClasses: ["o_field_statusbar"],
});
