import { registry } from "@web/core/registry";
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

export class StageKanbanRenderer extends KanbanRenderer {
    static components = { ...KanbanRenderer.components, KanbanHeader: StageKanbanHeader };
}

registry
    .category("views")
    .add("lifecycle_profile_list", { ...listView, Renderer: ProfileListRenderer })
    .add("lifecycle_profile_kanban", { ...kanbanView, Renderer: ProfileKanbanRenderer })
    .add("lifecycle_stage_kanban", { ...kanbanView, Renderer: StageKanbanRenderer });
