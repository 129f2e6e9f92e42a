import { formatMonetary } from "@web/views/fields/formatters";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KanbanRenderer } from "@web/views/kanban/kanban_renderer";
import { kanbanView } from "@web/views/kanban/kanban_view";

/** Says above the cards how many customers wait, and what is at risk with all of them. */
export class ContactKanbanRenderer extends KanbanRenderer {
    static template = "customer_lifecycle.ContactKanbanRenderer";

    get total() {
        const records = this.props.list.isGrouped
            ? this.props.list.groups.flatMap((group) => group.list.records)
            : this.props.list.records;
        const sums = new Map();
        for (const { data } of records) {
            const currency = data.currency_id?.id;
            sums.set(currency, (sums.get(currency) || 0) + (data.money_at_risk || 0));
        }
        // amounts in several currencies are not added up
        const amount = [...sums]
            .map(([currencyId, sum]) => formatMonetary(sum, { currencyId }))
            .join(" + ");
        return records.length
            ? _t("%(count)s customers, %(amount)s at risk", { count: records.length, amount })
            : "";
    }
}

registry.category("views").add("lifecycle_contact_kanban", {
    ...kanbanView,
    Renderer: ContactKanbanRenderer,
});
