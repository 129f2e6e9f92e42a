import { registry } from "@web/core/registry";
import { x2ManyField } from "@web/views/fields/x2many/x2many_field";

/** Steps of a workflow as a flow from top to bottom: cards that open, and can be dragged. */
registry.category("fields").add("lifecycle_workflow_flow", {
    ...x2ManyField,
    additionalClasses: [...(x2ManyField.additionalClasses || []), "o_lifecycle_flow_field"],
});
