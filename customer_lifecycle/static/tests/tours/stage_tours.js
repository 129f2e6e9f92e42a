import { registry } from "@web/core/registry";

const TAB = ".o_notebook .nav-link[name=customer_lifecycle]";

/** A salesperson's Monday: call the first customer, put the second off. */
registry.category("web_tour.tours").add("lifecycle_monday", {
    steps: () => [
        {
            content: "The customer with most money at risk comes first",
            trigger:
                ".o_kanban_record:not(.o_kanban_ghost):first:contains(Large Tour):contains(every 20 days)",
        },
        {
            content: "Call",
            trigger: ".o_kanban_record:contains(Large Tour) button[name=action_contact_call]",
            run: "click",
        },
        {
            trigger: ".modal [name=note] textarea",
            run: "edit Wants a new price list",
        },
        { trigger: ".modal button[name=action_reached]", run: "click" },
        {
            content: "Who was called is not suggested again",
            trigger: ".o_kanban_renderer:not(:contains(Large Tour)):contains(Small Tour)",
        },
        {
            content: "That was the wrong one",
            trigger: ".o_notification:contains(Large Tour) button:contains(Undo)",
            run: "click",
        },
        {
            trigger: ".o_kanban_record:contains(Large Tour) button[name=action_contact_call]",
            run: "click",
        },
        { trigger: ".modal .alert:contains(every 20 days)" },
        { trigger: ".modal [name=contact_advice]:contains(Ask what has changed)" },
        {
            trigger: ".modal [name=note] textarea",
            run: "edit Wants a new price list",
        },
        { trigger: ".modal button[name=action_reached]", run: "click" },
        {
            content: "And on to the next",
            trigger: ".o_notification:contains(Large Tour) button:contains(Next Customer)",
            run: "click",
        },
        { trigger: ".modal-title:contains(Small Tour)" },
        { trigger: ".modal button[special=cancel], .modal .btn-close", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        {
            trigger: ".o_kanban_record:contains(Small Tour) button[name=action_contact_snooze]",
            run: "click",
        },
        { content: "Nobody is left", trigger: ".o_view_nocontent:contains(Nobody is waiting)" },
    ],
});

/** A salesperson sets a stage by hand and sees that it is held, and by whom. */
registry.category("web_tour.tours").add("lifecycle_stage_by_hand", {
    steps: () => [
        { trigger: TAB, run: "click" },
        {
            content: "The rule's reason is told",
            trigger: "button[data-chip=stage]:contains(At risk)",
            run: "click",
        },
        { trigger: ".o_lifecycle_why:contains(An order today)" },
        {
            content: "A slip of the mouse moves nobody",
            trigger: ".o_statusbar_status button:contains(Lost)",
            run: "click",
        },
        { trigger: ".modal [name=reason] input", run: "edit Gave up the shop" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: "button[data-chip=stage]:contains(Lost)" },
        {
            trigger: ".o_notification:contains(Lost) button:contains(Undo)",
            run: "click",
        },
        { trigger: "button[data-chip=stage]:contains(At risk)" },
        {
            trigger: ".o_statusbar_status button:contains(Loyal)",
            run: "click",
        },
        { trigger: ".modal [name=reason] input", run: "edit Has a contract" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: "button[data-chip=stage]:contains(Loyal)" },
        { trigger: "[name=lifecycle_stage_hold]:contains(Has a contract)" },
        { trigger: "button[name=action_release_lifecycle_stage]", run: "click" },
        { trigger: "button[data-chip=stage]:contains(At risk)" },
        {
            content: "For a year",
            trigger: ".o_statusbar_status button:contains(Loyal)",
            run: "click",
        },
        { trigger: ".modal [name=reason] input", run: "edit Has a contract" },
        { trigger: ".modal [name=duration] input[data-value='365']", run: "click" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: "button[data-chip=stage]:contains(Loyal)", run: "click" },
        { trigger: ".o_lifecycle_why:contains(Held by hand until)" },
    ],
});

/** A manager changes a rule: propose, preview, apply. */
registry.category("web_tour.tours").add("lifecycle_rule_preview", {
    steps: () => [
        { trigger: "button[name=action_propose]", run: "click" },
        { trigger: ".alert:contains(A proposal)" },
        { trigger: "[name=max_days] input", run: "edit 3" },
        { trigger: "button[name=action_preview]", run: "click" },
        { content: "Who would move", trigger: ".o_form_view:contains(Would Move)" },
        {
            content: "From where to where",
            trigger: ".o_data_row:contains(At risk):contains(Active)",
        },
        { trigger: "button[name=action_apply]", run: "click" },
        { trigger: ".modal-footer .btn-primary", run: "click" },
        {
            content: "The rule in force has changed",
            trigger: ".o_form_view:has(button[name=action_propose]) [name=max_days]:contains(3)",
        },
        { trigger: ".o_notification:contains(The rule is in force)" },
        {
            content: "Nothing leads back to what is no more",
            trigger: ".o_breadcrumb:not(:contains(What Would Change))",
        },
    ],
});

/** A quotation says who the customer is, and what he usually buys. */
registry.category("web_tour.tours").add("lifecycle_vip_quotation", {
    steps: () => [
        { trigger: "[name=vip_hint]:contains(Gold)" },
        {
            content: "What he usually buys is due: one click adds it",
            trigger: ".o_lifecycle_suggestions button:contains(Tour cups)",
            run: "click",
        },
        {
            content: "The usual item is in the quotation, at the price of the tier",
            trigger: "[name=order_line] .o_data_row:contains(Tour cups):contains(9.00)",
        },
    ],
});

registry.category("web_tour.tours").add("lifecycle_stage_columns", {
    steps: () => [
        {
            content: "A column says how many customers are in the stage, and their value",
            trigger: ".o_kanban_group:contains('Large Tour') .o_column_title:contains('(2)')",
        },
        { trigger: ".o_kanban_group:contains('Large Tour') .o_animated_number" },
        {
            content: "A card dragged to another stage asks first",
            trigger: ".o_kanban_record:contains('Large Tour')",
            run: "drag_and_drop .o_kanban_group:has(.o_column_title:contains('Lost'))",
        },
        { trigger: ".modal [name=reason] input", run: "edit Gave up the shop" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: ".o_notification:contains(Large Tour) button:contains(Undo)" },
        {
            content: "It stands in the other column",
            trigger:
                ".o_kanban_group:has(.o_column_title:contains('At risk')):not(:contains('Large Tour'))",
        },
        { trigger: ".o_kanban_record:contains('Gave up the shop')" },
    ],
});
