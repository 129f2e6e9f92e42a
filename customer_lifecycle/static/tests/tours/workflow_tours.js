import { registry } from "@web/core/registry";

/** A manager builds a workflow from a delivered draft, looks at what it would do, and starts it. */
registry.category("web_tour.tours").add("lifecycle_workflow_build", {
    steps: () => [
        {
            content: "A delivered draft",
            trigger: ".o_data_row td[name=name]:contains(Win back: at risk)",
            run: "click",
        },
        {
            content: "Its first e-mail",
            trigger:
                "[name=step_ids] .o_kanban_record:not(.o_kanban_ghost):first .o_lifecycle_flow_card:contains(Was everything)",
            run: "click",
        },
        { trigger: ".modal [name=delay] input", run: "edit 0" },
        { trigger: ".modal .o_form_button_save", run: "click" },
        {
            trigger:
                "body:not(:has(.modal)) [name=step_ids] .o_kanban_record:first:contains(at once)",
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved button[name=action_preview]", run: "click" },
        {
            content: "What one customer would get",
            trigger: "[name=sequence_html]:contains(We have not heard from you for a while)",
        },
        {
            content: "What may go wrong",
            trigger: "[name=warnings]:contains(Unsubscribed or blacklisted)",
        },
        { trigger: ".o_back_button, .o_breadcrumb .breadcrumb-item:last a", run: "click" },
        { trigger: "button[name=action_start]", run: "click" },
        {
            trigger: ".modal [name=who] .o_radio_item:contains(Also those) input",
            run: "click",
        },
        { trigger: ".modal button[name=action_start]", run: "click" },
        {
            content: "It runs",
            trigger:
                "body:not(:has(.modal)) .o_statusbar_status button[aria-checked=true]:contains(Running)",
        },
    ],
});

/** Who got nothing, and why. */
registry.category("web_tour.tours").add("lifecycle_workflow_not_sent", {
    steps: () => [
        {
            content: "The number on the step opens the same list",
            trigger:
                "[name=step_ids] .o_kanban_record:first button[name=action_view_skipped]:contains(1)",
        },
        {
            trigger: "button[name=action_view_skipped].oe_stat_button:contains(1)",
            run: "click",
        },
        {
            content: "The customer, and the reason",
            trigger:
                ".o_data_row:contains(Refusing Tour):contains(Unsubscribed or blacklisted):not(:contains(Willing Tour))",
        },
    ],
});

/** A salesperson stops a workflow for a customer, on the contact. */
registry.category("web_tour.tours").add("lifecycle_workflow_stop", {
    steps: () => [
        { trigger: ".o_notebook .nav-link[name=customer_lifecycle]", run: "click" },
        { trigger: "button[data-chip=workflows]:contains(Win back: at risk)", run: "click" },
        { trigger: ".o_lifecycle_why:contains(May we help you choose)" },
        { trigger: ".o_lifecycle_why button[data-method=action_stop]", run: "click" },
        { trigger: ".modal-footer .btn-primary", run: "click" },
        {
            trigger:
                "body:not(:has(.modal)) .o_lifecycle_chips:not(:has(button[data-chip=workflows]))",
        },
    ],
});
