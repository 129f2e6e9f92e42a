import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { KanbanHeader } from "@web/views/kanban/kanban_header";
import { KanbanRenderer } from "@web/views/kanban/kanban_renderer";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { FirstSteps } from "@customer_lifecycle/web/first_steps/first_steps";

export class ProfileListRenderer extends ListRenderer {
    static template = "customer_lifecycle.ProfileListRenderer";
    static components = { ...ListRenderer.components, FirstSteps };
}

export class ProfileKanbanRenderer extends KanbanRenderer {
    static template = "customer_lifecycle.ProfileKanbanRenderer";
    static components = { ...KanbanRenderer.components, FirstSteps };
}

/** Says how many customers are in a stage beside what they are worth. */
export class StageKanbanHeader extends KanbanHeader {
    static template = "customer_lifecycle.StageKanbanHeader";
}

/** A card that is dragged to another stage asks for reason and duration, as the bar does. */
export class StageKanbanRenderer extends KanbanRenderer {
    static components = { ...KanbanRenderer.components, KanbanHeader: StageKanbanHeader };

    setup() {
        super.setup();
        this.action = useService("action");
        this.orm = useService("orm");
    }

    /** @override */
    async sortRecordDrop(dataRecordId, dataGroupId, params) {
        const { list } = this.props;
        const target = params.parent?.dataset.id;
        if (list.groupByField?.name !== "stage_id" || !target || target === dataGroupId) {
            return super.sortRecordDrop(...arguments);
        }
        params.parent.classList.remove("o_kanban_hover");
        const stage = list.groups.find((group) => group.id === target);
        const card = list.records.find((record) => record.id === dataRecordId);
        if (!stage?.value || !card) {
            return;
        }
        const dialog = await this.orm.call("lifecycle.profile", "action_set_stage", [
            [card.resId],
            stage.value,
        ]);
        await this.action.doAction(dialog, { onClose: () => list.load() });
    }
}

registry
    .category("views")
    .add("lifecycle_profile_list", { ...listView, Renderer: ProfileListRenderer })
    .add("lifecycle_profile_kanban", { ...kanbanView, Renderer: ProfileKanbanRenderer })
    .add("lifecycle_stage_kanban", { ...kanbanView, Renderer: StageKanbanRenderer });
